import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, afterEach } from '@jest/globals';
import type Koa from 'koa';
import { waitFor } from 'xstate';
import { Feed } from '../../server/fleet/feed.js';
import type { FeedSource } from '../../server/fleet/feedSource.js';
import type { Service, ServiceOverrides } from '../../server/service.js';
import { emptyStore } from './emptyStore.js';
import { type EventStream, openEventStream } from './eventStream.js';
import { type ScriptedServer, startScriptedServer } from './scriptedServer.js';
import { startTestService } from './service.js';

/** Long intervals: only the test makes things happen. */
const calm = {
  PROBE_INTERVAL_MS: '60000',
  RESYNC_INTERVAL_MS: '60000',
  REQUEST_TIMEOUT_MS: '10000',
  FRAME_INTERVAL_MS: '10',
};

type StreamOptions = Parameters<typeof openEventStream>[1];

/** A TCP connection to the service, for bytes that no HTTP client sends. */
export interface RawConnection {
  socket: Socket;
  send(...parts: string[]): void;
  /** Everything received so far. */
  text(): string;
  closed: Promise<void>;
}

/** Starts services, scripted servers and clients for the tests of one file. Ends them after each test. */
export function useHarness() {
  const servers: ScriptedServer[] = [];
  const services: Service[] = [];
  const streams: EventStream[] = [];
  const sockets: Socket[] = [];
  const listeners: Server[] = [];
  const feeds: Feed[] = [];
  const endings: Promise<unknown>[] = [];

  async function end(ours: ScriptedServer[], those: Service[], open: EventStream[]) {
    await Promise.all(open.map((stream) => stream.close()));
    await Promise.all(those.map((service) => service.stop()));
    await Promise.all(ours.map((server) => server.stop()));
  }
  // A service waits a second for connections that fetch keeps open. The next test does not wait for that.
  afterEach(() => {
    for (const server of servers) {
      server.respond({ kind: 'normal' });
      server.release();
    }
    for (const socket of sockets.splice(0)) socket.destroy();
    for (const feed of feeds.splice(0)) feed.close();
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
    /** A service that knows the scripted servers of this test. Resolves when all of them are silent. */
    async service(
      env: Record<string, string> = {},
      overrides: ServiceOverrides = {},
    ): Promise<Service> {
      const known = servers.map(({ id }) => id).join(',');
      const service = await startTestService(
        { PUBSUB_SERVERS: known, ...calm, ...env },
        { openStore: async () => emptyStore, ...overrides },
      );
      services.push(service);
      await waitFor(service.activation, ({ context }) =>
        [...context.roster].every(({ status }) => status === 'silent'),
      );
      return service;
    },
    async stream({ url }: { url: string }, options?: StreamOptions): Promise<EventStream> {
      const stream = await openEventStream(url, options);
      streams.push(stream);
      return stream;
    },
    /** A viewer. Resolves when the servers are active. */
    async watch(service: Service, options?: StreamOptions): Promise<EventStream> {
      const stream = await openEventStream(service.url, options);
      streams.push(stream);
      await waitFor(service.activation, (snapshot) => snapshot.matches({ active: 'watched' }));
      return stream;
    },
    /** A feed for an application without a service. */
    feed(source: FeedSource): Feed {
      const feed = new Feed(source, { run: 'run', frameIntervalMs: 0 });
      feeds.push(feed);
      return feed;
    },
    /** Has an application listen, without a service around it. */
    async app(app: Koa | RequestListener): Promise<{ url: string }> {
      const server = createServer(typeof app === 'function' ? app : app.callback());
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
      // A connection that the service cuts while this side sends ends with an error.
      socket.on('error', () => {});
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      const send = (...parts: string[]) => void socket.write(parts.join(''));
      return { socket, send, text: () => text, closed };
    },
  };
}

/** What a server was told, in order: to be active (true) or silent (false). */
export function puts(server: ScriptedServer): boolean[] {
  return server.requests
    .filter(({ method }) => method === 'PUT')
    .map(({ body }) => JSON.parse(body).active);
}

/** The URL that a server was told last. Its token is valid. */
export function toldUrl(server: ScriptedServer): string {
  if (server.eventsUrl === undefined) throw new Error('the server was told no URL yet');
  return server.eventsUrl;
}

/** Resolves after this many turns of the event loop. */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
