/** A server of y-socket.io with the dashboard attached, in a process of its own. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Doc } from 'yjs';
import {
  attachDashboard,
  type YSocketIoDocument,
  type YSocketIoServer,
} from '../../../server/agent/ySocketIo.js';
import { serveControl, settings, timings } from './hostControl.js';

type Document = YSocketIoDocument & Pick<Doc, 'destroy'>;

interface SocketIo {
  _nsps: Map<string, { sockets: Map<string, unknown>; disconnectSockets(): void }>;
  close(): Promise<void>;
}

interface Library {
  Server: new (server: object, options: object) => SocketIo;
  YSocketIO: new (io: SocketIo, options: object) => YSocketIoServer<Document>;
  applyUpdate(doc: Document, update: Uint8Array): void;
  encodeStateAsUpdate(doc: Document): Uint8Array;
}

const library: Library = await import(settings.library);
const http = createServer((request, response) => {
  response.end(`the user's ${request.method} ${request.url}`);
});
const { pingMs } = settings;
const io = new library.Server(http, { pingInterval: pingMs, pingTimeout: pingMs });
const ysocketio = new library.YSocketIO(io, {
  authenticate: ({ auth }: { auth: { token?: string } }) => auth.token !== 'nobody',
});
const stored = new Map<string, Uint8Array>();
// In place of the library's own, which needs a database.
if (settings.isStoring) Object.assign(ysocketio, { persistence: { bindState, writeState } });

const attach = () =>
  attachDashboard(
    ysocketio,
    {
      url: settings.dashboardUrl,
      port: settings.controlPort,
    },
    timings,
  );
let agent = attach();
ysocketio.initialize();
await new Promise<void>((resolve) => http.listen(settings.port, '127.0.0.1', resolve));

const prefix = '/yjs|';
serveControl(
  {
    connections: () =>
      [...io._nsps]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, { sockets }]) => [name.slice(prefix.length), sockets.size]),
    state: (room) => {
      const doc = ysocketio.documents.get(room);
      return doc ? Buffer.from(library.encodeStateAsUpdate(doc)).toString('base64') : null;
    },
    unload: (room) => {
      const isUsed = (io._nsps.get(prefix + room)?.sockets.size ?? 0) > 0;
      if (!isUsed) ysocketio.documents.get(room)?.destroy();
    },
    disconnect: (room) => io._nsps.get(prefix + room)?.disconnectSockets(),
    settled: () => agent.settled(),
    restartAgent: async () => {
      await agent.close();
      agent = attach();
    },
    stop,
  },
  { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` },
);

async function stop(): Promise<void> {
  await io.close();
  await agent.close();
  for (const doc of [...ysocketio.documents.values()]) doc.destroy();
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
