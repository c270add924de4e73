import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import { Doc, type Text } from 'yjs';
import { closedSocket } from './closedSocket.js';
import { createRandom, pick, type Random } from './random.js';

/** A real y-websocket client in a room; whoever let it join makes it leave. */
export type Editor = {
  readonly doc: Doc;
  readonly provider: WebsocketProvider;
  readonly text: Text;
  /** Resolves when the document is in sync for the first time, rejects when it leaves before. */
  readonly synced: Promise<void>;
  /** Types at the end of the text. */
  type(words: string): void;
  /** Closes the connection. Resolves when its socket is closed. */
  leave(): Promise<void>;
};

const firstSync = (provider: WebsocketProvider): Promise<void> => {
  const synced = new Promise<void>((resolve, reject) => {
    provider.on('sync', (isSynced) => isSynced && resolve());
    provider.doc.once('destroy', () => reject(new Error('the editor left before it was in sync')));
  });
  // Whoever does not wait for it need not catch it.
  synced.catch(() => undefined);
  return synced;
};

/** Joins a room with a y-websocket client. `serverUrl` is `ws://host:port`; the room is put behind it as it is. */
export const joinRoom = ({
  serverUrl,
  room,
  name = 'editor',
}: {
  serverUrl: string;
  room: string;
  name?: string;
}): Editor => {
  const doc = new Doc();
  const text = doc.getText('text');
  const provider = new WebsocketProvider(serverUrl, room, doc, {
    // Clients of one process would sync past any server.
    disableBc: true,
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
  });
  // One listener of the process for each editor: its peers see it go without a farewell, too.
  process.off('exit', provider._exitHandler);
  provider.awareness.setLocalStateField('user', { name });
  const leave = async () => {
    const socket = provider.ws as unknown as WebSocket | null;
    provider.destroy();
    doc.destroy();
    if (socket) await closedSocket(socket);
  };
  return {
    doc,
    provider,
    text,
    synced: firstSync(provider),
    type: (words) => text.insert(text.length, words),
    leave,
  };
};

/** Editors that come, type and go at random; whoever started them stops them. */
export type SimulatedEditors = {
  /** Editors that are in a room, or trying to be. */
  count(): number;
  /** Makes every editor leave, and resolves when all have left. */
  stop(): Promise<void>;
};

/** What the editors do; equal seeds make equal choices. */
export type SimulationOptions = {
  /** `ws://host:port` of every server that an editor may choose, asked at each choice. */
  servers: () => readonly string[];
  rooms: readonly string[];
  /** Default 20. */
  editors?: number;
  /** Between two steps of the whole crowd; one step is one editor's. Default 100 ms. */
  stepMs?: number;
  /** Default 1. */
  seed?: number;
};

const words = ['so ', 'it ', 'was ', 'written ', 'by ', 'many ', 'hands. '];

// Early rooms are the busy ones, as in real life.
const pickRoom = (random: Random, rooms: readonly string[]) =>
  rooms[Math.floor(random() ** 2 * rooms.length)];

/** Starts a crowd of simulated editors, which fills up first and then comes and goes. */
export const simulateEditors = ({
  servers,
  rooms,
  editors: crowd = 20,
  stepMs = 100,
  seed = 1,
}: SimulationOptions): SimulatedEditors => {
  const random = createRandom(seed);
  const editors = new Set<Editor>();
  const leaving = new Set<Promise<void>>();

  const join = () => {
    const serverUrl = pick(random, servers());
    const room = pickRoom(random, rooms);
    if (serverUrl === undefined || room === undefined) return;
    editors.add(joinRoom({ serverUrl, room, name: `editor ${Math.floor(random() * 1_000)}` }));
  };
  const leave = (editor: Editor) => {
    editors.delete(editor);
    const left = editor.leave().finally(() => leaving.delete(left));
    leaving.add(left);
  };
  const step = () => {
    const editor = pick(random, [...editors]);
    const chance = random();
    if (!editor || (editors.size < crowd && chance < 0.6)) join();
    else if (chance < 0.85 && editor.text.length < 2_000) editor.type(pick(random, words) ?? '');
    else leave(editor);
  };

  const timer = setInterval(step, stepMs);
  return {
    count: () => editors.size,
    stop: async () => {
      clearInterval(timer);
      for (const editor of [...editors]) leave(editor);
      await Promise.all(leaving);
    },
  };
};
