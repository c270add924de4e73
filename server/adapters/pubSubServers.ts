import { lookup as systemLookup } from 'node:dns';
import { Agent } from 'node:http';
import { TextDecoder } from 'node:util';
import got, { type OptionsInit } from 'got';
import { fromCallback } from 'xstate';
import type { Epoch, ServerAnswer, ServerId, ServerRequest } from '../../machines/ports.js';
import { hostAndPort, isAddress, normalizeAddress } from '../addresses.js';
import type { RequestPacer } from './requestPacer.js';
import { parseSnapshot } from './snapshots.js';

/** What the requests to pub-sub servers need of the rest of the service. */
export interface PubSubServersNeeds {
  requestTimeoutMs: number;
  maxSnapshotBytes: number;
  /** The URL that a server is to post its deltas to, told from all others by its token. */
  eventsUrl: (server: ServerId, epoch: Epoch) => string;
  /** Whether this service may send anything to an address and port. */
  mayContact: (address: string, port: number) => boolean;
  /** Told what a server's host name resolved to. */
  onResolved: (server: ServerId, addresses: string[]) => void;
  /** Told of every answer. */
  onHeard: (server: ServerId) => void;
}

interface HttpAnswer {
  status: number;
  type: string;
  body: string;
}

type LookupCallback = (
  error: Error | null,
  address?: string | { address: string; family: number }[],
  family?: number,
) => void;

/**
 * Requests to pub-sub servers over HTTP, as docs/protocol.md tells them: each is sent once, has a
 * deadline and a bound on its answer, follows no redirect, and goes to allowed addresses only.
 * Failed requests throw an Error whose message says why.
 */
export class PubSubServers {
  readonly #needs: PubSubServersNeeds;
  /** A socket for each request: a kept one is closed by the other side at about the time it is used. */
  readonly #agent = new Agent({ keepAlive: false });

  constructor(needs: PubSubServersNeeds) {
    this.#needs = needs;
  }

  /** Has the server post to us from now on; its connections at that instant. */
  async activate(server: ServerId, epoch: Epoch, signal: AbortSignal): Promise<ServerAnswer> {
    const answer = await this.#put(server, { active: true, epoch }, signal);
    return { type: 'snapshot.received', epoch, snapshot: readSnapshot(answer) };
  }

  /** Has the server post nothing from now on. */
  async silence(server: ServerId, epoch: Epoch, signal: AbortSignal): Promise<ServerAnswer> {
    await this.#put(server, { active: false, epoch }, signal);
    return { type: 'silence.confirmed' };
  }

  /** Whether the server answers at all. */
  async probe(server: ServerId, signal: AbortSignal): Promise<ServerAnswer> {
    await this.#send(server, '/health', { method: 'GET' }, signal);
    return { type: 'probe.answered' };
  }

  #put(server: ServerId, wish: { active: boolean; epoch: Epoch }, signal: AbortSignal) {
    const { active, epoch } = wish;
    const json = { active, eventsUrl: this.#needs.eventsUrl(server, epoch) };
    return this.#send(server, '/api/dashboard', { method: 'PUT', json }, signal);
  }

  async #send(
    server: ServerId,
    path: string,
    options: OptionsInit,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { requestTimeoutMs, maxSnapshotBytes, mayContact, onHeard } = this.#needs;
    const { host, port } = hostAndPort(server);
    if (isAddress(host) && !mayContact(host, port)) throw new Error('address not allowed');
    const request = got.stream(`http://${server}${path}`, {
      ...options,
      agent: { http: this.#agent },
      timeout: { request: requestTimeoutMs },
      retry: { limit: 0 },
      followRedirect: false,
      throwHttpErrors: false,
      decompress: false,
      dnsLookup: ((name: string, lookupOptions: object, done: LookupCallback) =>
        this.#lookup(server, name, lookupOptions, done)) as never,
    } as OptionsInit & { isStream: true });
    // An error that comes when nobody reads any longer must not end the process.
    request.on('error', () => {});
    const abort = () => request.destroy(new Error('stopped'));
    signal.addEventListener('abort', abort);
    const body = await readUpTo(request, maxSnapshotBytes).finally(() =>
      signal.removeEventListener('abort', abort),
    );
    const status = request.response?.statusCode ?? 0;
    if (status < 200 || status > 299) throw new Error(`answered ${status}`);
    onHeard(server);
    return { status, type: request.response?.headers['content-type'] ?? '', body };
  }

  /** Resolves a host name to those of its addresses that may be contacted. */
  #lookup(server: ServerId, name: string, options: object, done: LookupCallback): void {
    systemLookup(name, { ...options, all: true }, (error, found) => {
      if (error) return done(error);
      const { port } = hostAndPort(server);
      const allowed = found.filter(({ address }) => this.#needs.mayContact(address, port));
      this.#needs.onResolved(
        server,
        allowed.map(({ address }) => normalizeAddress(address)),
      );
      const [first] = allowed;
      if (!first) return done(new Error(`no address of ${name} is allowed`));
      if ((options as { all?: boolean }).all) return done(null, allowed);
      return done(null, first.address, first.family);
    });
  }
}

/** The slot `serverRequests`: one long-lived actor for all requests to one server. */
export function createServerRequests(servers: PubSubServers, pacer: RequestPacer) {
  return fromCallback<ServerRequest, { server: ServerId }>(({ input, receive, sendBack }) => {
    const stop = new AbortController();
    const send = (request: ServerRequest) => {
      if (request.type === 'probe.requested') return servers.probe(input.server, stop.signal);
      const isWanted = request.type === 'activity.requested';
      const put = isWanted ? servers.activate : servers.silence;
      return put.call(servers, input.server, request.epoch, stop.signal);
    };
    receive((request) => {
      pacer.run(
        () =>
          send(request)
            .catch(
              (error: unknown): ServerAnswer => ({ type: 'request.failed', cause: causeOf(error) }),
            )
            .then((answer) => {
              if (!stop.signal.aborted) sendBack(answer);
            }),
        stop.signal,
      );
    });
    return () => stop.abort();
  });
}

function readSnapshot({ type, body }: HttpAnswer) {
  if (!type.includes('json')) throw new Error(`answered "${type}" instead of JSON`);
  try {
    return parseSnapshot(body);
  } catch (error) {
    throw new Error(`answered no snapshot: ${causeOf(error)}`);
  }
}

async function readUpTo(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let body = '';
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`answered more than ${maxBytes} bytes`);
    body += decoder.decode(chunk, { stream: true });
  }
  return body + decoder.decode();
}

function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
