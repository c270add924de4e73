import { lookup as systemLookup } from 'node:dns';
import { Agent, type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import got, { type Got, type Request } from 'got';
import type { ServerId } from '../../machines/ports.js';
import { hostAndPort, isAddress, normalizeAddress } from '../addresses.js';
import { GatheredBytes } from '../http/guards/gatheredBytes.js';
import { traceExchange } from '../tracing/traceExchange.js';
import type { Tracing } from '../tracing/tracing.js';
import type { Reach } from './reach.js';
import type { Signable } from './signatures.js';
import { tlsCause } from './tlsCause.js';

/** Limits of requests to pub-sub servers, and what they need of the rest of the service. */
export interface PubSubHttpNeeds {
  requestTimeoutMs: number;
  /** Whether this service may send requests to an address and port. */
  mayContact: (address: string, port: number) => boolean;
  /** Called with the addresses that a server's host name resolved to. */
  onResolved: (server: ServerId, addresses: string[]) => void;
  /** Resolves host names. Default: `dns.lookup`. */
  lookup?: typeof systemLookup;
  /** Makes the header `Dashboard-Signature`; undefined: requests are not signed. */
  sign?: ((request: Signable) => string) | undefined;
  /** Requests go over https; undefined: over http. */
  tls?: Tls | undefined;
  /**
   * In a cluster: whether this instance still leads. Asked before a request with a body begins, and again when
   * its connection is open. Else it fails, and its body is not sent.
   */
  mayAct?: (() => boolean) | undefined;
  /** In a cluster: is told which servers answer, with any status. */
  reach?: Pick<Reach, 'noteBegun' | 'noteAnswered' | 'noteFailed'> | undefined;
  /** Makes a span of each request, whose trace goes on in the server. Undefined: there are no traces. */
  tracing?: Tracing | undefined;
}

/** How servers are reached over https. */
export interface Tls {
  /** Certificates of authorities in PEM, in place of those that Node knows. */
  ca?: string | undefined;
}

/** One request. The path is sent as it is, byte for byte. */
export interface PubSubRequest {
  method: 'GET' | 'PUT';
  path: string;
  /** Makes the body when the connection is open. If it throws, the request fails. */
  json?: (connection: Socket) => object;
  /** A longer answer is an error. */
  maxBytes: number;
  /** Called with the size of each chunk of the answer; false: out of memory budget, the request fails. */
  reserve?: ((bytes: number) => boolean) | undefined;
}

/** A request as it is sent. */
type Sent = PubSubRequest & { headers?: Record<string, string> };

export interface PubSubAnswer {
  status: number;
  type: string;
  /** Content-Encoding; no request asks for one, and nothing is decompressed. Undefined: none. */
  encoding: string | undefined;
  /** The header `Dashboard-Agent`; undefined: none, as with servers without an agent. */
  agent: string | undefined;
  body: Buffer;
}

type LookupCallback = (
  error: Error | null,
  address?: string | { address: string; family: number }[],
  family?: number,
) => void;

/** A request under way. */
interface OpenRequest {
  stream: Request;
  /** Undefined: it has not begun to connect. */
  sent?: ClientRequest;
}

/** Why a request with a body was not sent. */
export const notLeading = 'this instance does not lead any more';

/**
 * HTTP client for pub-sub servers. Each request has a deadline and a size limit, is never retried, follows
 * no redirects, and goes only to allowed addresses. Rejects with an Error that has the reason.
 */
export class PubSubHttp {
  readonly #needs: PubSubHttpNeeds;
  readonly #open = new Set<OpenRequest>();
  #isClosed = false;
  /** With the common options, so they are validated only once. */
  readonly #got: Got;

  constructor(needs: PubSubHttpNeeds) {
    this.#needs = needs;
    this.#got = got.extend({
      // A new socket for each request: the server may close a kept one just when it is used.
      agent: {
        http: new Agent({ keepAlive: false }),
        https: new HttpsAgent({ keepAlive: false }),
      },
      timeout: { request: needs.requestTimeoutMs },
      retry: { limit: 0 },
      followRedirect: false,
      throwHttpErrors: false,
      decompress: false,
    });
  }

  async exchange(
    server: ServerId,
    request: PubSubRequest,
    signal: AbortSignal,
  ): Promise<PubSubAnswer> {
    const { tracing, tls } = this.#needs;
    if (!tracing) return this.#exchange(server, request, signal);
    const { method, path } = request;
    const traced = { server, method, path, isSecure: tls !== undefined };
    return traceExchange(tracing, traced, (headers) =>
      this.#exchange(server, { ...request, headers }, signal),
    );
  }

  async #exchange(server: ServerId, request: Sent, signal: AbortSignal): Promise<PubSubAnswer> {
    const { host, port } = hostAndPort(server);
    if (isAddress(host) && !this.#needs.mayContact(host, port))
      throw new Error('address not allowed');
    // The caller may have waited for something else.
    if (signal.aborted) throw new Error('stopped');
    this.#expectMayAct(request);
    const open = this.#start(server, request);
    const abort = () => open.stream.destroy(new Error('stopped'));
    signal.addEventListener('abort', abort);
    this.#open.add(open);
    try {
      return await readAnswer(open.stream, request);
    } catch (error) {
      const isOwnEnd = signal.aborted || this.#isClosed;
      if (!open.stream.response && !isOwnEnd) this.#needs.reach?.noteFailed(server);
      // An error of got contains the request with its token, which must not be logged.
      throw new Error(this.#needs.tls ? tlsCause(error as Error) : (error as Error).message);
    } finally {
      this.#open.delete(open);
      signal.removeEventListener('abort', abort);
    }
  }

  /**
   * Ends every request at once, and lets no other begin. What a connection still holds in its buffers is
   * discarded: the system would go on sending it when the network works again.
   */
  close(): void {
    this.#isClosed = true;
    for (const { stream, sent } of this.#open) {
      if (sent?.socket) reset(sent.socket);
      stream.destroy(new Error('stopped'));
    }
  }

  #expectMayAct({ json }: PubSubRequest): void {
    if (this.#isClosed) throw new Error('stopped');
    if (json && this.#needs.mayAct?.() === false) throw new Error(notLeading);
  }

  #start(server: ServerId, asked: Sent): OpenRequest {
    const { method, path, json, headers } = asked;
    const { sign, tls, reach } = this.#needs;
    const { host, port } = hostAndPort(server);
    const stream = this.#got.stream(`${tls ? 'https' : 'http'}://${server}`, {
      isStream: true,
      method,
      ...(headers && { headers }),
      dnsLookup: ((name: string, options: object, done: LookupCallback) =>
        this.#lookup(server, name, options, done)) as never,
      // Not by a URL: it would encode characters of the path that the server takes literally.
      request: (_url, options, done) => {
        const target: RequestOptions = { ...options, host, port, path };
        const sent = tls ? httpsRequest({ ...target, ...tls }, done) : httpRequest(target, done);
        open.sent = sent;
        const signed = (body: string) => sign && signWith(sign, sent, { method, path, body });
        const makeBody = (socket: Socket) => {
          // The connection may have taken longer than the lease.
          this.#expectMayAct(asked);
          return json?.(socket) ?? {};
        };
        if (json)
          sendOnceConnected(sent, stream, { makeBody, signed, isSecure: tls !== undefined });
        else signed('');
        return sent;
      },
    });
    const open: OpenRequest = { stream };
    // Without a listener, an error after the answer was read would end the process.
    stream.on('error', () => {});
    reach?.noteBegun(server);
    if (reach) stream.once('response', () => reach.noteAnswered(server));
    return open;
  }

  /** Resolves a host name, and leaves out addresses that may not be contacted. */
  #lookup(server: ServerId, name: string, options: object, done: LookupCallback): void {
    const { lookup = systemLookup } = this.#needs;
    lookup(name, { ...options, all: true }, (error, found) => {
      if (error) return done(error);
      const { port } = hostAndPort(server);
      const allowed = found.filter(({ address }) => this.#needs.mayContact(address, port));
      const addresses = allowed.map(({ address }) => normalizeAddress(address));
      this.#needs.onResolved(server, addresses);
      const [first] = allowed;
      if (!first) return done(new Error(`no address of ${name} is allowed`));
      if ((options as { all?: boolean }).all) return done(null, allowed);
      return done(null, first.address, first.family);
    });
  }
}

interface Sending {
  /** Throws if nothing may be sent. */
  makeBody: (connection: Socket) => object;
  /** Signs the request with this body. */
  signed: (body: string) => void;
  isSecure: boolean;
}

function signWith(
  sign: (request: Signable) => string,
  sent: ClientRequest,
  { method, path, body }: { method: string; path: string; body: string },
): void {
  const host = String(sent.getHeader('host'));
  sent.setHeader('Dashboard-Signature', sign({ method, host, target: path, body }));
}

/** Sends a body that depends on the connection, in one write with a Content-Length. */
function sendOnceConnected(
  sent: ClientRequest,
  stream: Request,
  { makeBody, signed, isSecure }: Sending,
): void {
  sent.once('socket', (socket) => {
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      try {
        const body = JSON.stringify(makeBody(socket));
        signed(body);
        sent.setHeader('content-type', 'application/json');
        sent.setHeader('content-length', Buffer.byteLength(body));
        stream.end(body);
      } catch (error) {
        stream.destroy(error as Error);
      }
    });
  });
}

async function readAnswer(
  stream: Request,
  { maxBytes, reserve }: PubSubRequest,
): Promise<PubSubAnswer> {
  const body = await readUpTo(stream, maxBytes, reserve);
  const { statusCode = 0, headers } = stream.response ?? {};
  const { 'content-type': type = '', 'content-encoding': encoding } = headers ?? {};
  const agent = headers?.['dashboard-agent'];
  return { status: statusCode, type, encoding, agent: agent?.toString(), body };
}

/** Closes a connection with RST. */
function reset(socket: Socket): void {
  try {
    // Without a connection there is nothing to discard, and `resetAndDestroy` would wait for one.
    if (!socket.connecting) socket.resetAndDestroy();
  } catch {
    // Node cannot reset TLS connections. The caller closes it.
  }
}

/** Reads by events: for a small answer, an iterator costs a promise and several listeners more. */
function readUpTo(
  stream: Readable,
  maxBytes: number,
  reserve: PubSubRequest['reserve'] = () => true,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const body = new GatheredBytes();
    stream.on('data', (chunk: Buffer) => {
      if (body.length + chunk.length > maxBytes)
        stream.destroy(new Error(`answered more than ${maxBytes} bytes`));
      else if (reserve(chunk.length)) body.add(chunk);
      else stream.destroy(new Error('too much is being read from this host at the same time'));
    });
    stream.on('end', () => resolve(body.bytes()));
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('closed')));
  });
}
