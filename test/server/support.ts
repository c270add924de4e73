import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type Server,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterAll, afterEach } from '@jest/globals';
import type Koa from 'koa';
import { pino } from 'pino';
import { waitFor } from 'xstate';
import type { AppNeeds } from '../../server/app.js';
import type { ErrorBody } from '../../server/errors.js';
import { EventTokens, type TokenClaims } from '../../server/eventTokens.js';
import type { Service } from '../../server/service.js';
import type { Feed } from '../../server/sse/feed.js';
import type { Store } from '../../server/store.js';
import { type EventStream, openEventStream } from '../support/eventStream.js';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.js';
import { startTestService } from '../support/service.js';

/** Times so long that nothing happens but what a test causes. */
const calm = {
  PROBE_INTERVAL_MS: '60000',
  RESYNC_INTERVAL_MS: '60000',
  REQUEST_TIMEOUT_MS: '10000',
  FRAME_INTERVAL_MS: '10',
};

/** A metadata store with nothing in it: these tests are about what needs none. */
const emptyStore: Store = {
  rooms: {
    get: async () => undefined,
    page: async () => ({ items: [] }),
    addresses: async () => ({ items: [] }),
  },
  servers: { list: async () => [], put: async () => {}, remove: async () => {} },
  connections: {
    put: async () => {},
    since: async function* () {},
    newestFirst: async function* () {},
  },
  close: async () => {},
};

type StreamOptions = Parameters<typeof openEventStream>[1];

/** A TCP connection to the service, for what no HTTP client would send. */
export interface RawConnection {
  socket: Socket;
  send(...parts: string[]): void;
  /** Everything received so far. */
  text(): string;
  closed: Promise<void>;
}

/** What the tests of one file start: services, scripted servers, clients. All of it ends with each test. */
export function useWorld() {
  const servers: ScriptedServer[] = [];
  const services: Service[] = [];
  const streams: EventStream[] = [];
  const sockets: Socket[] = [];
  const listeners: Server[] = [];
  const endings: Promise<unknown>[] = [];

  async function end(ours: ScriptedServer[], those: Service[], open: EventStream[]) {
    await Promise.all(open.map((stream) => stream.close()));
    await Promise.all(those.map((service) => service.stop()));
    await Promise.all(ours.map((server) => server.stop()));
  }
  // fetch keeps a spare connection open, which a service waits for a second: the next test need not.
  afterEach(() => {
    for (const server of servers) {
      server.respond({ kind: 'normal' });
      server.release();
    }
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const listener of listeners.splice(0)) {
      listener.close();
      listener.closeAllConnections();
    }
    endings.push(end(servers.splice(0), services.splice(0), streams.splice(0)));
  });
  afterAll(() => Promise.all(endings));

  return {
    async server(options: { host?: string; port?: number } = {}): Promise<ScriptedServer> {
      const server = await startScriptedServer(options);
      servers.push(server);
      return server;
    },
    /** A service that knows the scripted servers of this test, and has told them to be silent. */
    async service(env: Record<string, string> = {}): Promise<Service> {
      const known = servers.map(({ id }) => id).join(',');
      const service = await startTestService(
        { PUBSUB_SERVERS: known, ...calm, ...env },
        { openStore: async () => emptyStore },
      );
      services.push(service);
      await waitFor(service.actor, ({ context }) =>
        [...context.roster].every(({ status }) => status === 'silent'),
      );
      return service;
    },
    async stream({ url }: { url: string }, options?: StreamOptions): Promise<EventStream> {
      const stream = await openEventStream(url, options);
      streams.push(stream);
      return stream;
    },
    /** A viewer whose coming has made the servers active. */
    async watch(service: Service, options?: StreamOptions): Promise<EventStream> {
      const stream = await openEventStream(service.url, options);
      streams.push(stream);
      await waitFor(service.actor, (snapshot) => snapshot.matches({ active: 'watched' }));
      return stream;
    },
    /** An application that listens, without the service around it. */
    async app(app: Koa): Promise<{ url: string }> {
      const server = createServer(app.callback());
      listeners.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    },
    socket({ url }: { url: string }): RawConnection {
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname);
      sockets.push(socket);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      // A connection that the service cuts while this side is still sending ends with an error.
      socket.on('error', () => {});
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      const send = (...parts: string[]) => void socket.write(parts.join(''));
      return { socket, send, text: () => text, closed };
    },
  };
}

/** An answer as programs go by it. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  /** The code, when it is an error's answer. */
  code: string | undefined;
}

/** How `ask` asks. */
export interface AskOptions {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
  /** The body is never ended. */
  isLeftOpen?: boolean;
}

/** Sends one request on a connection of its own; follows no redirect. */
export async function ask(url: string, options: AskOptions = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, isLeftOpen = false } = options;
  const outgoing = request(url, { method, headers, agent: false });
  if (isLeftOpen) outgoing.flushHeaders();
  else outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const text = await readText(incoming);
  const isError = (incoming.statusCode ?? 0) >= 400 && text !== '';
  const { error } = (isError ? JSON.parse(text) : {}) as Partial<ErrorBody>;
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, text, code: error?.code };
}

/** Posts as a pub-sub server does; text goes out as it is. */
export function post(url: string, body: unknown): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask(url, {
    method: 'POST',
    body: text,
    headers: { 'Content-Type': 'application/json', 'User-Agent': 'axios/1.7.9' },
  });
}

/** What a server was told so far, in order: to be active (true) or silent (false). */
export function puts(server: ScriptedServer): boolean[] {
  return server.requests
    .filter(({ method }) => method === 'PUT')
    .map(({ body }) => JSON.parse(body).active);
}

/** The URL that a server was told last; the token in it is valid in this run. */
export function toldUrl(server: ScriptedServer): string {
  if (server.eventsUrl === undefined) throw new Error('the server was told no URL yet');
  return server.eventsUrl;
}

/** Resolves after so many turns of the event loop. */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Needs of an application that stands alone, with notes of what its routes passed on. */
export type LoneNeeds = AppNeeds & { lost: TokenClaims[]; feed: Feed };

/** Needs whose parts do nothing but take notes; a test replaces those that it is about. */
export function appNeeds(overrides: Partial<AppNeeds> & { onLog?: (line: string) => void } = {}) {
  const { onLog = () => {}, ...others } = overrides;
  const lost: TokenClaims[] = [];
  const inactive = { active: false, eventsUrl: 'http://127.0.0.1:1/api/events' };
  const needs: Partial<AppNeeds> & { lost: TokenClaims[] } = {
    lost,
    log: pino({ level: 'info' }, { write: onLog }),
    tokens: new EventTokens(),
    viewerToken: undefined,
    maxBodyBytes: 1024,
    bodyTimeoutMs: 1000,
    maxViewers: 1000,
    viewers: () => others.feed?.viewers ?? 0,
    isDraining: () => false,
    takePosted: () => {},
    noteLost: (claims) => lost.push(claims),
    noteStranger: () => {},
    answerStartup: () => ({ answer: inactive, afterwards: () => {} }),
    inactiveAnswer: () => inactive,
    logDefect: () => {},
    viewerConnected: () => {},
    viewerDisconnected: () => {},
    servers: () => [],
    ...others,
  };
  // Routes that a test does not ask for need nothing.
  return needs as LoneNeeds;
}
