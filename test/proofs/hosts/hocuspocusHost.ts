/** A Hocuspocus server of the version in a folder beside this, with the extension. For `startHost`. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Host, HostDocument } from '../../../server/agent/hocuspocus/host.js';
import { Dashboard, type DashboardOptions } from '../../../server/agent/hocuspocus.js';
import type { Timings } from '../../../server/agent/timings.js';
import { answerParent, failParent } from './answerParent.js';
import { Faults } from './faults.js';

/** The only argument, as JSON. */
export interface HocuspocusHostOptions {
  folder: string;
  dashboard: DashboardOptions;
  timings?: Partial<Timings>;
  /** Of Hocuspocus. Default: any. */
  port?: number;
  redisPort?: number;
  /** `new Hocuspocus()` on the user's own HTTP server: the extension answers on its port too, or not. */
  bare?: 'shared' | 'apart';
  /** As a later version might be: `document.connections` is something else. */
  isUnknown?: boolean;
  /** Adds the extension only when it is asked to, by `addLate`. */
  isLate?: boolean;
}

export interface HocuspocusReady {
  /** Of Hocuspocus, for its clients. */
  port: number;
  /** Of the agent. */
  controlPort: number;
}

interface YDoc {
  getText(name: string): {
    insert(at: number, text: string): void;
    delete(at: number, length: number): void;
  };
  getMap(name: string): { set(key: string, value: unknown): void };
  getArray(name: string): { push(values: unknown[]): void; delete(at: number): void };
}
type Document = HostDocument & YDoc & { connections: Map<unknown, unknown> };
interface Direct {
  transact(change: (document: Document) => void): Promise<void>;
  disconnect(): Promise<void>;
}
interface Provider {
  document: YDoc;
  awareness: { setLocalStateField(name: string, value: unknown): void };
  on(event: 'synced', listener: () => void): void;
  destroy(): void;
}
interface Instance {
  documents: Map<string, Document>;
  openDirectConnection(room: string): Promise<Direct>;
  closeConnections(room?: string): void;
  configure(configuration: object): void;
  configuration: { extensions: object[] };
}
interface HocuspocusServer {
  hocuspocus: Instance;
  listen(): Promise<unknown>;
  destroy(): Promise<unknown>;
  port(): number;
}
interface Modules {
  createServer(configuration: object): HocuspocusServer;
  Hocuspocus: new (configuration: object) => Instance;
  handleSocket(hocuspocus: Instance, socket: unknown, request: IncomingMessage): void;
  WebSocketServer: new (options: {
    server: Server;
  }) => {
    on(event: 'connection', listener: (socket: unknown, request: IncomingMessage) => void): void;
  };
  Redis: new (options: object) => object;
  HocuspocusProvider: new (options: object) => Provider;
  WebSocket: unknown;
  Y: { encodeStateAsUpdate(document: unknown): Uint8Array };
}

const options: HocuspocusHostOptions = JSON.parse(process.argv[2] ?? '{}');
/** Rejections that no fault of a test has caused. */
const rejections: string[] = [];
process.on('unhandledRejection', (cause) => {
  if (!Faults.isOne(cause)) rejections.push(String((cause as Error)?.stack ?? cause));
});
run().catch(failParent);

async function run(): Promise<void> {
  const folder = fileURLToPath(new URL(options.folder, import.meta.url));
  const modules: Modules = await import(pathToFileURL(join(folder, 'modules.mjs')).href);
  const faults = new Faults();
  const known = new Set<Document>();
  const dashboard = new Dashboard(options.dashboard, options.timings);
  const recorder = {
    priority: 3_000,
    onLoadDocument: async ({ document }: { document: Document }) => {
      known.add(document);
      if (options.isUnknown) document.connections = unknownMap();
    },
  };
  const startServer = async () => {
    const configuration = {
      port: options.port ?? 0,
      quiet: true,
      debounce: 20,
      maxDebounce: 100,
      extensions: [
        recorder,
        faults.extension('early', 2_000),
        ...(options.redisPort ? [redisOf(modules, options.redisPort)] : []),
        ...(options.isLate ? [] : [dashboard]),
      ],
      ...faults.extension('late'),
      onRequest: answerOwn,
    };
    const started = options.bare
      ? createBare(modules, configuration, dashboard)
      : modules.createServer(configuration);
    await started.listen();
    return started;
  };
  let server = await startServer();
  const addLate = async () => {
    const instance = server.hocuspocus as unknown as Host;
    server.hocuspocus.configuration.extensions.push(dashboard);
    await dashboard.onConfigure({ instance, version: 'late' });
    return (await dashboard.start()).port;
  };
  const directs = new Map<number, Direct>();
  const providers = new Map<number, Provider>();
  let newest = 0;

  const { port: controlPort } = options.isLate ? { port: 0 } : await dashboard.start();
  answerParent({ port: server.port(), controlPort } satisfies HocuspocusReady, {
    counts: () => [...countsOf(known, server.hocuspocus)],
    loaded: () => [...server.hocuspocus.documents.keys()],
    state: (room: string) => {
      const document = server.hocuspocus.documents.get(room);
      if (!document) return undefined;
      return Buffer.from(modules.Y.encodeStateAsUpdate(document)).toString('base64');
    },
    fault: (...fault: Parameters<Faults['plan']>) => faults.plan(...fault),
    clearFaults: () => faults.clear(),
    closeConnections: (room: string) => server.hocuspocus.closeConnections(room),
    openDirect: async (room: string) => {
      newest += 1;
      const id = newest;
      directs.set(id, await server.hocuspocus.openDirectConnection(room));
      return id;
    },
    editDirect: (id: number, text: string) =>
      directs.get(id)?.transact((document) => document.getText('text').insert(0, text)),
    /** Everything that a document can hold, and some of it deleted again. */
    fillDirect: (id: number) =>
      directs.get(id)?.transact((document) => {
        document.getText('text').insert(0, 'one two three');
        document.getText('text').delete(4, 4);
        document.getMap('map').set('a', { deep: [1, 'two', null, Uint8Array.of(3)] });
        document.getMap('map').set('a', 'replaced');
        document.getArray('array').push([1, 2, 3]);
        document.getArray('array').delete(1);
      }),
    closeDirect: async (id: number) => {
      await directs.get(id)?.disconnect();
      directs.delete(id);
    },
    openProvider: async (room: string, name: string) => {
      newest += 1;
      const url = `ws://127.0.0.1:${server.port()}`;
      const { HocuspocusProvider, WebSocket } = modules;
      const provider = new HocuspocusProvider({
        url,
        name: room,
        token: 'ok',
        WebSocketPolyfill: WebSocket,
      });
      providers.set(newest, provider);
      provider.awareness.setLocalStateField('user', { name });
      await new Promise<void>((resolve) => provider.on('synced', resolve));
      return newest;
    },
    editProvider: (id: number, text: string) =>
      void providers.get(id)?.document.getText('text').insert(0, text),
    closeProvider: (id: number) => {
      providers.get(id)?.destroy();
      providers.delete(id);
    },
    rejections: () => rejections,
    destroy: () => server.destroy().then(() => true),
    addLate,
    /** Ends the agent and starts another one, while clients come and go. */
    restartAgent: async () => {
      await dashboard.close();
      await dashboard.start();
    },
    /** Another server in this process, with the same extension. Resolves with its port. */
    restart: async () => {
      await server.destroy();
      server = await startServer();
      return server.port();
    },
  });
}

/** Its own count: the sizes of its maps, also of documents that were unloaded under a new connection. */
function countsOf(known: Set<Document>, { documents }: Instance): Map<string, number> {
  const counts = new Map<string, number>();
  for (const document of known) {
    const { name, connections } = document;
    if (connections.size > 0) counts.set(name, (counts.get(name) ?? 0) + connections.size);
    else if (documents.get(name) !== document && !document.isLoading) known.delete(document);
  }
  return counts;
}

function redisOf({ Redis }: Modules, port: number): object {
  return new Redis({ host: '127.0.0.1', port, disconnectDelay: 50 });
}

/** `new Hocuspocus()` on an HTTP server of the user's own. */
function createBare(
  { Hocuspocus, WebSocketServer, handleSocket }: Modules,
  configuration: object,
  dashboard: Dashboard,
): HocuspocusServer {
  const hocuspocus = new Hocuspocus(configuration);
  const server = createServer((_, response) => void response.writeHead(200).end('my own'));
  new WebSocketServer({ server }).on('connection', (socket, request) =>
    handleSocket(hocuspocus, socket, request),
  );
  return {
    hocuspocus,
    listen: async () => {
      await new Promise<void>((resolve) => server.listen(0, resolve));
      await dashboard.start(options.bare === 'shared' ? { server } : {});
    },
    destroy: async () => {
      server.close();
      hocuspocus.closeConnections();
      await dashboard.close();
    },
    port: () => (server.address() as AddressInfo).port,
  };
}

/** Works as a `Map` does for Hocuspocus, and is none. */
function unknownMap(): Map<unknown, unknown> {
  const map = new Map<string, unknown>();
  const names = ['get', 'set', 'has', 'delete', 'forEach', 'keys', 'values', 'entries'] as const;
  const methods = names.map((name) => [name, map[name].bind(map)]);
  const size = { get: () => map.size };
  return Object.defineProperty(Object.fromEntries(methods), 'size', size);
}

interface Asked {
  request: IncomingMessage;
  response: ServerResponse;
}

/** A route of the user's own. */
async function answerOwn({ request, response }: Asked): Promise<void> {
  if (request.url !== '/own') return;
  response.writeHead(200).end('my own');
  return Promise.reject();
}
