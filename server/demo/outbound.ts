import http from 'node:http';
import https from 'node:https';

/** A request. `url` is sent unchanged, except for its fragment. */
export interface OutboundRequest {
  method: 'GET' | 'POST';
  url: string;
  body?: string;
}

/** Below the 5 s after which Node's servers close an idle socket: a request must not meet that reset. */
const idleSocketMs = 2_000;
const maxAnswerBytes = 1024 * 1024;

/** The HTTP client of the agent: keep-alive sockets and a deadline for every request. */
export class Outbound {
  readonly #deadlineMs: number;
  readonly #agents: { 'http:': http.Agent; 'https:': https.Agent };
  readonly #inFlight = new Set<Promise<string>>();

  constructor({ deadlineMs }: { deadlineMs: number }) {
    const sockets = { keepAlive: true, maxSockets: 64, timeout: idleSocketMs };
    this.#deadlineMs = deadlineMs;
    this.#agents = { 'http:': new http.Agent(sockets), 'https:': new https.Agent(sockets) };
  }

  /** Resolves with the body, whatever the status. Rejects on failure and at the deadline. */
  send(request: OutboundRequest): Promise<string> {
    const answer = this.#exchange(request).finally(() => this.#inFlight.delete(answer));
    this.#inFlight.add(answer);
    return answer;
  }

  /** Resolves when no request is in flight. */
  async settled(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
  }

  /** Closes every socket. Requests in flight reject. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  async #exchange({ method, url, body }: OutboundRequest): Promise<string> {
    const target = new URL(url);
    const isSecure = target.protocol === 'https:';
    const options = {
      method,
      headers: headersOf(body),
      agent: this.#agents[isSecure ? 'https:' : 'http:'],
    };
    return new Promise((resolve, reject) => {
      const request = (isSecure ? https : http).request(target, options);
      const late = () => request.destroy(new Error(`no answer within ${this.#deadlineMs} ms`));
      const deadline = setTimeout(late, this.#deadlineMs);
      request.on('response', (answer) => readText(answer).then(resolve, reject));
      request.on('error', reject);
      // Emitted last, after an error or a complete answer.
      request.on('close', () => clearTimeout(deadline));
      request.end(body);
    });
  }
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

async function readText(answer: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) throw new Error(`the answer is over ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
