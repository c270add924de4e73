import { once } from 'node:events';
import {
  Agent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text as readText } from 'node:stream/consumers';
import got, { type Request } from 'got';
import type { Leader } from '../../machines/ports.js';
import { withoutBrackets } from '../addresses.js';
import { causeOf } from '../causeOf.js';
import { traceHeaders } from '../tracing/scope.js';
import { type InstanceEvents, type OpenAnswer, readInstanceEvents } from './instanceEvents.js';
import { type InstanceSignatures, signatureHeader } from './instanceSignatures.js';

/** The instance that is asked: this run of it, at this URL. */
export type Peer = Pick<Leader, 'instance' | 'url'>;

/** A request to another instance. The path and query are sent as they are. */
export interface InstanceAsk {
  method?: 'GET' | 'HEAD' | 'POST';
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
  /** Deadline: of the whole answer for `ask`, of its headers for `open` and `stream`. Default: 2 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** A whole answer of another instance; of any status. */
export interface InstanceAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const defaultTimeoutMs = 2000;

/** Sends signed requests to other instances. No retry, no redirect, no proxy of the environment. */
export class InstanceRequests {
  readonly #signatures: InstanceSignatures;
  readonly #agents = {
    http: new Agent({ keepAlive: true }),
    https: new HttpsAgent({ keepAlive: true }),
  };

  constructor(signatures: InstanceSignatures) {
    this.#signatures = signatures;
  }

  /** Rejects with the reason if there is no whole answer in time. */
  async ask(peer: Peer, path: string, options: InstanceAsk = {}): Promise<InstanceAnswer> {
    const { timeoutMs = defaultTimeoutMs } = options;
    const startedAtMs = performance.now();
    const { status, headers, body } = await this.open(peer, path, options);
    const late = setTimeout(
      () => body.destroy(tooLate(timeoutMs)),
      timeoutMs - (performance.now() - startedAtMs),
    );
    try {
      return { status, headers, body: await readText(body) };
    } catch (error) {
      throw plainError(error);
    } finally {
      clearTimeout(late);
    }
  }

  /** Resolves with the headers, rejects with the reason if there are none in time. */
  async open(peer: Peer, path: string, options: InstanceAsk = {}): Promise<OpenAnswer> {
    const { timeoutMs = defaultTimeoutMs } = options;
    const body = this.#send(peer, path, options);
    const late = setTimeout(() => body.destroy(tooLate(timeoutMs)), timeoutMs);
    try {
      await once(body, 'response');
    } catch (error) {
      throw plainError(error);
    } finally {
      clearTimeout(late);
    }
    const { statusCode = 0, headers = {} } = body.response ?? {};
    return { status: statusCode, headers, body };
  }

  /** Follows an event stream until its end, or until it is closed. `onEnd` is called once, unless it was closed. */
  stream(
    peer: Peer,
    path: string,
    events: InstanceEvents,
    options: InstanceAsk & { idleMs?: number } = {},
  ): { close(): void } {
    const closing = new AbortController();
    const headers = { Accept: 'text/event-stream', ...options.headers };
    const opening = this.open(peer, path, { ...options, headers, signal: closing.signal });
    void readInstanceEvents(opening, events, { idleMs: options.idleMs, signal: closing.signal });
    return { close: () => closing.abort() };
  }

  /** Ends idle connections. The senders of open requests end those. */
  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #send({ instance, url }: Peer, path: string, options: InstanceAsk): Request {
    const { method = 'GET', headers = {}, body, signal } = options;
    const { protocol, hostname, port, pathname } = new URL(url);
    const signature = this.#signatures.sign({ method, target: path }, instance, body);
    // A proxy may add a path to the URL, and takes it away again.
    const target = `${pathname.replace(/\/$/, '')}${path}`;
    const request = got.stream(url, {
      isStream: true,
      method,
      headers: { ...traceHeaders(), ...headers, [signatureHeader]: signature } as Record<
        string,
        string
      >,
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
      agent: this.#agents,
      retry: { limit: 0 },
      followRedirect: false,
      throwHttpErrors: false,
      decompress: false,
      // Not by a URL: it would encode characters of the path, and the signature would not fit.
      request: (_url, given, done) => {
        const host = withoutBrackets(hostname);
        const sent: RequestOptions = { ...given, host, port, path: target };
        return protocol === 'https:' ? httpsRequest(sent, done) : httpRequest(sent, done);
      },
    });
    // Without a listener, an error after the answer was read would end the process.
    request.on('error', () => {});
    return request;
  }
}

const tooLate = (ms: number) => new Error(`no answer within ${ms} ms`);

/** An error of got contains the request with its signature, which must not be logged. */
function plainError(error: unknown): Error {
  return new Error(causeOf(error));
}
