import http from 'node:http';
import https from 'node:https';
import type { SignedRequest } from '../signatures.js';
import { readBytes } from './readText.js';
import { Failure } from './verdict.js';

/** A complete answer of the server. */
export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
}

/** A request as it goes out. */
export interface Outgoing {
  readonly method: string;
  /** The request target, sent as it is. */
  readonly target: string;
  /** The parts of the body. A function is awaited before the part after it is sent. */
  readonly body?: string | readonly (string | (() => Promise<void>))[];
  readonly headers?: http.OutgoingHttpHeaders;
  /** Default: as the run. False: not signed, even if there is a secret. */
  readonly isSigned?: boolean;
}

/** Signs a request: the value of `Dashboard-Signature`. */
export type Sign = (request: SignedRequest) => string;

/** Sends requests to the server, each on a connection of its own, as the service does. */
export class ServerClient {
  readonly host: string;
  /** The port that the server listens on. */
  readonly port: number;
  readonly #isSecure: boolean;
  readonly #hostname: string;
  readonly #deadlineMs: number;
  readonly #sign: Sign | undefined;

  constructor(url: URL, deadlineMs: number, sign?: Sign) {
    this.#isSecure = url.protocol === 'https:';
    this.host = url.host;
    this.#hostname = url.hostname.replace(/^\[|\]$/g, '');
    this.port = Number(url.port) || (this.#isSecure ? 443 : 80);
    this.#deadlineMs = deadlineMs;
    this.#sign = sign;
  }

  /** The address of this machine that the server sees. */
  async localAddress(): Promise<string> {
    const request = this.#open({ method: 'GET', target: '/health' });
    const address = new Promise<string>((resolve, reject) => {
      request.on('error', reject);
      request.on('socket', (socket) =>
        socket.once('connect', () => resolve(socket.localAddress ?? '127.0.0.1')),
      );
    });
    request.end();
    const local = await address.finally(() => request.destroy());
    return local.replace(/^::ffff:/, '');
  }

  /** Rejects with a `Failure` if there is no complete answer in time. */
  async send(outgoing: Outgoing): Promise<Answer> {
    const request = this.#open(outgoing);
    const late = () => request.destroy(new Error(`no answer within ${this.#deadlineMs} ms`));
    let timer = setTimeout(late, this.#deadlineMs);
    const answer = answerTo(request);
    // A part of the body that waits has its own deadline.
    answer.catch(() => undefined);
    try {
      for (const part of [outgoing.body ?? []].flat()) {
        if (typeof part === 'string') request.write(part);
        else await part();
      }
      clearTimeout(timer);
      timer = setTimeout(late, this.#deadlineMs);
      request.end();
      return await answer;
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      const { method, target } = outgoing;
      throw new Failure(`${method} ${target}: ${(cause as Error).message}`);
    } finally {
      clearTimeout(timer);
      request.destroy();
    }
  }

  #open({ method, target, body, headers, isSigned = true }: Outgoing): http.ClientRequest {
    const text = [body ?? []]
      .flat()
      .filter((part) => typeof part === 'string')
      .join('');
    const signature = isSigned && this.#sign?.({ method, host: this.host, target, body: text });
    return (this.#isSecure ? https : http).request({
      host: this.#hostname,
      port: this.port,
      method,
      path: target,
      agent: false,
      headers: {
        ...(body !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(text),
        }),
        ...(signature && { 'Dashboard-Signature': signature }),
        ...headers,
      },
    });
  }
}

function answerTo(request: http.ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      const { statusCode: status = 0, headers } = response;
      readBytes(response).then(
        (bytes) => resolve({ status, headers, bytes, text: bytes.toString('utf8') }),
        reject,
      );
    });
  });
}
