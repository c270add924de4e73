import { lookup as systemLookup } from 'node:dns';
import { Agent, type ClientRequest, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import got, { type Got, type Request } from 'got';
import type { ServerId } from '../../machines/ports.js';
import { hostAndPort, isAddress, normalizeAddress } from '../addresses.js';
import { GatheredBytes } from '../http/guards/gatheredBytes.js';

/** What requests to pub-sub servers are bounded by, and who is told of them. */
export interface PubSubHttpNeeds {
  requestTimeoutMs: number;
  /** Whether this service may send anything to an address and port. */
  mayContact: (address: string, port: number) => boolean;
  /** Told what a server's host name resolved to. */
  onResolved: (server: ServerId, addresses: string[]) => void;
  /** How host names are resolved. Default: as this machine resolves them. */
  lookup?: typeof systemLookup;
}

/** One request; the path goes out as it is, to the byte. */
export interface PubSubRequest {
  method: 'GET' | 'PUT';
  path: string;
  /** Makes the body, once the connection is there. What it throws ends the request. */
  json?: (connection: Socket) => object;
  /** What is read of the answer at the most; more is an error. */
  maxBytes: number;
  /** Told of every part of the answer; false: there is no place for it, and the request fails. */
  hold?: ((bytes: number) => boolean) | undefined;
}

export interface PubSubAnswer {
  status: number;
  type: string;
  /** The content encoding, which no request asks for; undefined: none. Nothing is unpacked. */
  encoding: string | undefined;
  body: Buffer;
}

type LookupCallback = (
  error: Error | null,
  address?: string | { address: string; family: number }[],
  family?: number,
) => void;

/**
 * HTTP to pub-sub servers: each request is sent once, has a deadline and a bound on its answer,
 * follows no redirect, and goes to allowed addresses only. Failures are Errors that say why.
 */
export class PubSubHttp {
  readonly #needs: PubSubHttpNeeds;
  /** Checks once what is the same for all requests. */
  readonly #got: Got;

  constructor(needs: PubSubHttpNeeds) {
    this.#needs = needs;
    this.#got = got.extend({
      // A socket for each request: a kept one is closed by the other side at about the time it is used.
      agent: { http: new Agent({ keepAlive: false }) },
      timeout: { request: needs.requestTimeoutMs },
      retry: { limit: 0 },
      followRedirect: false,
      throwHttpErrors: false,
      decompress: false,
    });
  }

  async exchange(
    server: ServerId,
    { method, path, json, maxBytes, hold }: PubSubRequest,
    signal: AbortSignal,
  ): Promise<PubSubAnswer> {
    const { host, port } = hostAndPort(server);
    if (isAddress(host) && !this.#needs.mayContact(host, port))
      throw new Error('address not allowed');
    const request = this.#got.stream(`http://${server}`, {
      isStream: true,
      method,
      dnsLookup: ((name: string, options: object, done: LookupCallback) =>
        this.#lookup(server, name, options, done)) as never,
      // A URL would encode characters of the path that the other side takes literally.
      request: (_url, options, done) => {
        const sent = httpRequest({ ...options, host, port, path }, done);
        if (json) sendOnceConnected(sent, request, json);
        return sent;
      },
    });
    // An error that comes when nobody reads any longer must not end the process.
    request.on('error', () => {});
    const abort = () => request.destroy(new Error('stopped'));
    signal.addEventListener('abort', abort);
    const body = await readUpTo(request, maxBytes, hold)
      .catch((error: Error) => {
        // An error of got holds the request, token and all, for whoever logs it.
        throw new Error(error.message);
      })
      .finally(() => signal.removeEventListener('abort', abort));
    const { statusCode = 0, headers } = request.response ?? {};
    const { 'content-type': type = '', 'content-encoding': encoding } = headers ?? {};
    return { status: statusCode, type, encoding, body };
  }

  /** Resolves a host name to those of its addresses that may be contacted. */
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

/** Ends the stream of a request with a body that depends on the connection: still one write, of known length. */
function sendOnceConnected(
  sent: ClientRequest,
  stream: Request,
  json: (connection: Socket) => object,
): void {
  sent.once('socket', (socket) => {
    socket.once('connect', () => {
      try {
        const body = JSON.stringify(json(socket));
        sent.setHeader('content-type', 'application/json');
        sent.setHeader('content-length', Buffer.byteLength(body));
        stream.end(body);
      } catch (error) {
        stream.destroy(error as Error);
      }
    });
  });
}

/** By its events: for one small answer an iterator would be a promise and some listeners more. */
function readUpTo(
  stream: Readable,
  maxBytes: number,
  hold: PubSubRequest['hold'] = () => true,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const body = new GatheredBytes();
    stream.on('data', (chunk: Buffer) => {
      if (body.length + chunk.length > maxBytes)
        stream.destroy(new Error(`answered more than ${maxBytes} bytes`));
      else if (hold(chunk.length)) body.add(chunk);
      else stream.destroy(new Error('too much is being read from there at a time'));
    });
    stream.on('end', () => resolve(body.bytes()));
    stream.on('error', reject);
    stream.on('close', () => reject(new Error('closed')));
  });
}
