import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { docs, setupWSConnection, type WSSharedDoc } from '@y/websocket-server/utils';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Activation, createDashboardAgent } from './dashboardAgent.js';
import { type FanOut, startRedisFanOut } from './redisFanOut.js';
import { createRooms, documents } from './rooms.js';
import { type StoreWriter, type StoreWriterOptions, startStoreWriter } from './storeWriter.js';

/** What one pub-sub server of the demo and the tests is started with. */
export type PubSubServerOptions = {
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default 0: any free one. */
  port?: number;
  /** Where the start-up query goes, such as `http://127.0.0.1:8000`. Default: none is sent. */
  dashboardUrl?: string;
  /** How long a room without connections stays in memory, listed with 0. Default 1,000 ms. */
  forgetAfterMs?: number;
  /** How long a delta or the start-up query waits for its answer. Default 5,000 ms. */
  deadlineMs?: number;
  /** The metadata store in which it registers itself, its rooms and connections. Default: none. */
  store?: StoreWriterOptions;
  /** Redis for the fan-out to the other servers, `redis://` or `rediss://`. Default: no fan-out. */
  redisUrl?: string;
};

/** A running pub-sub server; whoever started it closes it. */
export type PubSubServer = {
  /** `host:port`. */
  readonly id: string;
  /** For WebSocket clients: `ws://host:port`. */
  readonly url: string;
  readonly port: number;
  /** The truth: connections of every room that has any, by raw name. */
  connections(): Map<string, number>;
  activation(): Activation;
  /** Ends every connection, waits until their deltas are answered or given up, and stops. */
  close(): Promise<void>;
};

const listen = (http: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => resolve((http.address() as AddressInfo).port));
  });

const terminated = (connection: WebSocket): Promise<void> =>
  new Promise((resolve) => {
    connection.once('close', () => resolve());
    connection.terminate();
  });

let isRunning = false;

/** Starts a real Yjs server (@y/websocket-server) with the dashboard's agent: one in a process. */
export const startPubSubServer = async (
  options: PubSubServerOptions = {},
): Promise<PubSubServer> => {
  // The library keeps its documents in a module-global map: a second server would share them.
  if (isRunning) throw new Error('one pub-sub server in a process: it is running already');
  const { host = '127.0.0.1', dashboardUrl, forgetAfterMs = 1_000, deadlineMs = 5_000 } = options;
  const agent = createDashboardAgent({ documents, deadlineMs });
  let writer: StoreWriter | undefined;
  let fanOut: FanOut | undefined;
  const opened = (room: string) => {
    agent.opened(room);
    const doc = docs.get(room);
    if (doc) writer?.opened(room, doc);
  };
  const created = (doc: WSSharedDoc) => {
    fanOut?.created(doc);
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      // What came from another server is that server's to post.
      if (doc.conns.has(origin)) agent.updated(doc.name, update);
    });
  };
  const rooms = createRooms({ opened, closed: agent.closed, created, forgetAfterMs });
  const sockets = new WebSocketServer({ noServer: true });
  let stopping: Promise<void> | undefined;
  const http = createServer((request, response) => {
    if (agent.handle(request, response)) return;
    response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found');
  });
  http.requestTimeout = 30_000;

  sockets.on('connection', (connection, request) => {
    const docName = (request.url ?? '').slice(1).split('?', 1)[0] ?? '';
    connection.on('error', () => connection.terminate());
    rooms.enter(docName);
    setupWSConnection(connection, request, { docName });
  });
  http.on('upgrade', (request, socket, head) => {
    if (stopping) return socket.destroy();
    sockets.handleUpgrade(request, socket, head, (connection) => {
      sockets.emit('connection', connection, request);
    });
  });

  isRunning = true;
  const port = await listen(http, host, options.port ?? 0).catch((cause) => {
    isRunning = false;
    throw cause;
  });
  const id = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (options.redisUrl) fanOut = startRedisFanOut(options.redisUrl);
  if (options.store) writer = startStoreWriter(id, options.store);
  if (dashboardUrl) void agent.askDashboard({ dashboardUrl, port });

  const stop = async () => {
    const stopped = new Promise<void>((resolve) => http.close(() => resolve()));
    await Promise.all([...sockets.clients].map(terminated));
    await agent.settled();
    http.closeAllConnections();
    await stopped;
    rooms.forgetAll();
    await fanOut?.close();
    await writer?.close();
    agent.close();
    isRunning = false;
  };

  return {
    id,
    url: `ws://${id}`,
    port,
    connections: () => new Map([...documents.connections()].filter(([, count]) => count > 0)),
    activation: agent.activation,
    close: () => {
      stopping ??= stop();
      return stopping;
    },
  };
};
