import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { urlToHttpOptions } from 'node:url';

/** A request. `url` is sent unchanged, except for its fragment. */
export interface OutboundRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly body?: string;
  readonly headers?: http.OutgoingHttpHeaders;
}

/** An answer with any status. */
export interface OutboundAnswer {
  readonly status: number;
  readonly text: string;
}

/** Below the 5 s after which Node's servers close an idle socket: a request must not meet that reset. */
const idleSocketMs = 2_000;
const maxAnswerBytes = 1024 * 1024;

/**
 * The HTTP client of the agent: kept sockets, and a deadline for every request. It keeps the process alive
 * only while it connects, at most until the deadline: the system offers nothing else.
 */
export class Outbound {
  readonly #deadlineMs: number;
  readonly #agents: { 'http:': http.Agent; 'https:': https.Agent };
  readonly #inFlight = new Set<http.ClientRequest>();

  constructor({ deadlineMs, maxSockets }: { deadlineMs: number; maxSockets: number }) {
    const sockets = { keepAlive: true, maxSockets, timeout: idleSocketMs };
    this.#deadlineMs = deadlineMs;
    this.#agents = { 'http:': new http.Agent(sockets), 'https:': new https.Agent(sockets) };
  }

  /** Rejects on failure and at the deadline. Follows no redirect. */
  async send({ method, url, body, headers }: OutboundRequest): Promise<OutboundAnswer> {
    const target = new URL(url);
    const isSecure = target.protocol === 'https:';
    const options: https.RequestOptions = {
      ...urlToHttpOptions(target),
      method,
      headers: { ...headersOf(body), ...headers },
      agent: this.#agents[isSecure ? 'https:' : 'http:'],
    };
    return new Promise((resolve, reject) => {
      const request = (isSecure ? https : http).request(options);
      const late = () => request.destroy(new Error(`no answer within ${this.#deadlineMs} ms`));
      const deadline = setTimeout(late, this.#deadlineMs).unref();
      this.#inFlight.add(request);
      request.on('socket', release);
      request.on('response', (answer) => readAnswer(answer, resolve));
      request.on('error', reject);
      // Emitted last: what is not answered by now will not be.
      request.on('close', () => {
        clearTimeout(deadline);
        this.#inFlight.delete(request);
        reject(new Error('no complete answer'));
      });
      request.end(body);
    });
  }

  /** Closes every socket. Requests in flight reject. */
  close(): void {
    for (const request of this.#inFlight) request.destroy(new Error('the agent was closed'));
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

/** A socket that tries several addresses has another handle when it is connected. */
function release(socket: Socket): void {
  if (socket.connecting) socket.once('connect', () => socket.unref());
  socket.unref();
}

function headersOf(body: string | undefined): http.OutgoingHttpHeaders {
  const accept = { accept: 'application/json, text/plain, */*' };
  if (body === undefined) return accept;
  return {
    ...accept,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
}

/** Calls back at the end of a complete answer. By events: an iterator would cost more than the rest. */
function readAnswer(answer: http.IncomingMessage, done: (read: OutboundAnswer) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) answer.destroy();
    else chunks.push(chunk);
  });
  answer.on('error', () => undefined);
  answer.on('end', () => {
    if (!answer.complete) return;
    done({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
  });
}
