/** A server of y-websocket with the dashboard attached, in a process of its own. */

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { WebSocketServer as Sockets, WebSocket } from 'ws';
import type { Doc } from 'yjs';
import { attachDashboard, type YWebsocketDocument } from '../../../server/agent/yWebsocket.js';
import { serveControl, settings, timings } from './hostControl.js';

type Document = YWebsocketDocument & Pick<Doc, 'destroy'>;

interface Library {
  docs: Map<string, Document>;
  setupWSConnection(socket: WebSocket, request: object, options: { docName: string }): void;
  setPersistence(persistence: {
    bindState(room: string, doc: Document): Promise<void>;
    writeState(room: string, doc: Document): Promise<void>;
  }): void;
  WebSocketServer: typeof Sockets;
  applyUpdate(doc: Document, update: Uint8Array): void;
  encodeStateAsUpdate(doc: Document): Uint8Array;
}

/** The library pings every 30 s, and has no setting for it. */
const { setInterval } = globalThis;
globalThis.setInterval = ((run: () => void, ms: number) =>
  setInterval(run, ms === 30_000 ? settings.pingMs : ms)) as typeof setInterval;

const { docs, setupWSConnection, setPersistence, WebSocketServer, ...library }: Library =
  await import(settings.library);
const stored = new Map<string, Uint8Array>();
if (settings.isStoring) setPersistence({ bindState, writeState });

const attach = () =>
  attachDashboard(
    {
      url: settings.dashboardUrl,
      port: settings.controlPort,
      docs,
      encodeState: library.encodeStateAsUpdate,
    },
    timings,
  );
let agent = attach();

const http = createServer((request, response) => {
  response.end(`the user's ${request.method} ${request.url}`);
});
const sockets = new WebSocketServer({ noServer: true });
sockets.on('connection', (socket, request) => {
  socket.on('error', () => socket.terminate());
  setupWSConnection(socket, request, { docName: roomOf(request) });
});
http.on('upgrade', (request, socket, head) => {
  if (request.headers.authorization === 'nobody') return refuse(socket as Socket);
  sockets.handleUpgrade(request, socket, head, (it) => sockets.emit('connection', it, request));
});
await new Promise<void>((resolve) => http.listen(settings.port, '127.0.0.1', resolve));

serveControl(
  {
    connections: () => Array.from(docs, ([room, { conns }]) => [room, conns.size]),
    state: (room) => {
      const doc = docs.get(room);
      return doc ? Buffer.from(library.encodeStateAsUpdate(doc)).toString('base64') : null;
    },
    unload: (room) => {
      const doc = docs.get(room);
      if (doc?.conns.size !== 0) return;
      docs.delete(room);
      doc.destroy();
    },
    disconnect: (room) => {
      for (const socket of docs.get(room)?.conns.keys() ?? []) (socket as WebSocket).close();
    },
    settled: () => agent.settled(),
    restartAgent: async () => {
      await agent.close();
      agent = attach();
    },
    stop,
  },
  { url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}` },
);

async function stop(): Promise<void> {
  await Promise.all([...sockets.clients].map(terminated));
  await new Promise((resolve) => http.close(resolve));
  await agent.close();
  for (const doc of docs.values()) doc.destroy();
}

function terminated(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.terminate();
  });
}

function roomOf({ url = '' }: IncomingMessage): string {
  return url.slice(1).split('?', 1)[0] ?? '';
}

function refuse(socket: Socket): void {
  socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
}

async function bindState(room: string, doc: Document): Promise<void> {
  const state = stored.get(room);
  await new Promise((resolve) => setImmediate(resolve));
  if (state) library.applyUpdate(doc, state);
}

async function writeState(room: string, doc: Document): Promise<void> {
  stored.set(room, library.encodeStateAsUpdate(doc));
  await new Promise((resolve) => setImmediate(resolve));
}
