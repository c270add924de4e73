import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { encodeStateAsUpdate } from 'yjs';
import type { Activation } from '../agent/createAgent.js';
import { attachDashboard } from '../agent/yWebsocket.js';
import { ownDocuments } from './ownDocuments.js';
import { RedisFanOut } from './redisFanOut.js';
import { createRooms, type Library, type SharedDocument, yWebsocket } from './rooms.js';
import { type StoreWriter, type StoreWriterOptions, startStoreWriter } from './storeWriter.js';

/** What a server is made of. */
const kinds = {
  'y-websocket': { library: yWebsocket, hostKind: '@y/websocket-server 0.1.1' },
  own: { library: ownDocuments, hostKind: 'own server with ws' },
} as const;

/** The settings of a pub-sub server of the demo and the tests. */
export interface PubSubServerOptions {
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** A server with `@y/websocket-server`, or one of our own with ws and y-protocols. Default `y-websocket`. */
  kind?: keyof typeof kinds;
  /** What people call it. Default: the name of the machine. */
  name?: string;
  /** Where to send the start-up query, such as `http://127.0.0.1:8000`. Default: nowhere. */
  dashboardUrl?: string;
  /** How long a room without connections stays in memory, reported with 0. Default 1,000 ms. */
  forgetAfterMs?: number;
  /** Deadline of a delta and of the start-up query. Default 5,000 ms. */
  deadlineMs?: number;
  /** The metadata store for the server, its rooms and its connections. Default: none. */
  store?: StoreWriterOptions;
  /** Redis for the updates between servers, `redis://` or `rediss://`. Default: none. */
  redisUrl?: string;
}

/** A running pub-sub server. The caller must close it. */
export interface PubSubServer {
  /** `host:port`. */
  readonly id: string;
  /** For WebSocket clients: `ws://host:port`. */
  readonly url: string;
  readonly port: number;
  /** The true connections of every room that has any, by raw name. */
  connections(): Map<string, number>;
  activation(): Activation;
  /** Ends every connection, waits until the deltas are answered or fail, and stops. */
  close(): Promise<void>;
}

/** The demo shows a table, and tests look at what is sent. */
const silent = { info: () => undefined, warn: () => undefined };

let isRunning = false;

/** Starts a real Yjs server with the agent. Only one can run per process. */
export async function startPubSubServer(options: PubSubServerOptions = {}): Promise<PubSubServer> {
  // The library keeps its documents in a module-global map, which a second server would share.
  if (isRunning) throw new Error('a process can run only one pub-sub server');
  const { host = '127.0.0.1', dashboardUrl, forgetAfterMs = 1_000, deadlineMs = 5_000 } = options;
  const { library, hostKind } = kinds[options.kind ?? 'y-websocket'];
  const sockets = new WebSocketServer({ noServer: true });
  const http = createServer((request, response) => {
    const isOkay = request.method === 'GET' && /^\/(health)?$/.test(request.url ?? '');
    response.writeHead(isOkay ? 200 : 404, { 'Content-Type': 'text/plain' });
    response.end(isOkay ? 'okay' : 'not found');
  });
  const agent = attachDashboard(
    {
      url: dashboardUrl ?? [],
      docs: library.docs,
      encodeState: encodeStateAsUpdate,
      log: silent,
      hostKind,
      server: http,
      ...(options.name !== undefined && { name: options.name }),
    },
    { deadlineMs },
  );
  const rooms = createRooms({ opened, created, forgetAfterMs, library });
  let writer: StoreWriter | undefined;
  let fanOut: RedisFanOut | undefined;
  let stopping: Promise<void> | undefined;
  http.requestTimeout = 30_000;
  acceptConnections();

  isRunning = true;
  const port = await listen(http, host, options.port ?? 0).catch((cause) => {
    isRunning = false;
    throw cause;
  });
  const id = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (options.redisUrl) fanOut = new RedisFanOut(options.redisUrl);
  if (options.store) writer = startStoreWriter(id, options.store);
  await agent.start();

  return {
    id,
    url: `ws://${id}`,
    port,
    connections: () => connectionsOf(library),
    activation: agent.activation,
    close: () => {
      stopping ??= stop();
      return stopping;
    },
  };

  function opened(room: string): void {
    const doc = library.docs.get(room);
    if (doc) writer?.opened(room, doc);
  }

  function created(doc: SharedDocument): void {
    fanOut?.created(doc);
  }

  function acceptConnections(): void {
    sockets.on('connection', (connection, request) => {
      const docName = (request.url ?? '').slice(1).split('?', 1)[0] ?? '';
      connection.on('error', () => connection.terminate());
      rooms.enter(docName);
      library.join(connection, request, docName);
    });
    http.on('upgrade', (request, socket, head) => {
      if (stopping) return socket.destroy();
      sockets.handleUpgrade(request, socket, head, (connection) => {
        sockets.emit('connection', connection, request);
      });
    });
  }

  async function stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => http.close(() => resolve()));
    await Promise.all([...sockets.clients].map(terminated));
    await agent.settled();
    http.closeAllConnections();
    await stopped;
    rooms.forgetAll();
    await fanOut?.close();
    await writer?.close();
    await agent.close();
    isRunning = false;
  }
}

/** The rooms that have connections. */
function connectionsOf({ docs }: Library): Map<string, number> {
  const counts = Array.from(docs, ([room, { conns }]) => [room, conns.size] as const);
  return new Map(counts.filter(([, count]) => count > 0));
}

function listen(http: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => resolve((http.address() as AddressInfo).port));
  });
}

function terminated(connection: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    connection.once('close', () => resolve());
    connection.terminate();
  });
}
