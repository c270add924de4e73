import WebSocket from 'ws';
import { WebsocketProvider } from 'y-websocket';
import { Doc, type Text } from 'yjs';
import { closedSocket } from './closedSocket.js';
import { createRandom, pick, type Random } from './random.js';

/** A real y-websocket client in a room. The caller must make it leave. */
export interface Editor {
  readonly doc: Doc;
  readonly provider: WebsocketProvider;
  readonly text: Text;
  /** Resolves after the first sync. Rejects if the editor leaves before. */
  readonly synced: Promise<void>;
  /** Appends to the text. */
  type(words: string): void;
  /** Closes the connection. Resolves when its socket is closed. */
  leave(): Promise<void>;
}

/** Joins a room with a y-websocket client. `serverUrl` is `ws://host:port`; the room is appended unchanged. */
export function joinRoom({
  serverUrl,
  room,
  name = 'editor',
}: {
  serverUrl: string;
  room: string;
  name?: string;
}): Editor {
  const doc = new Doc();
  const text = doc.getText('text');
  const provider = new WebsocketProvider(serverUrl, room, doc, {
    // Otherwise clients of one process would sync without a server.
    disableBc: true,
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
  });
  // Avoids one process listener per editor. The peers notice a closed socket anyway.
  process.off('exit', provider._exitHandler);
  provider.awareness.setLocalStateField('user', { name });
  return {
    doc,
    provider,
    text,
    synced: firstSync(provider),
    type: (words) => text.insert(text.length, words),
    leave: () => leave(provider),
  };
}

function firstSync(provider: WebsocketProvider): Promise<void> {
  const synced = new Promise<void>((resolve, reject) => {
    provider.on('sync', (isSynced) => isSynced && resolve());
    provider.doc.once('destroy', () => reject(new Error('the editor left before it was in sync')));
  });
  // Callers that do not wait for it need not catch it.
  synced.catch(() => undefined);
  return synced;
}

async function leave(provider: WebsocketProvider): Promise<void> {
  const socket = provider.ws as unknown as WebSocket | null;
  provider.destroy();
  provider.doc.destroy();
  if (socket) await closedSocket(socket);
}

/** Editors that join, type and leave at random. The caller must stop them. */
export interface SimulatedEditors {
  /** Editors that are connected or connecting. */
  count(): number;
  /** Makes every editor leave. Resolves when all have left. */
  stop(): Promise<void>;
}

/** The settings of a simulation. Equal seeds make equal choices. */
export interface SimulationOptions {
  /** `ws://host:port` of every available server; called for each choice. */
  servers: () => readonly string[];
  rooms: readonly string[];
  /** Default 20. */
  editors?: number;
  /** Time between two steps. Each step is one action of one editor. Default 100 ms. */
  stepMs?: number;
  /** Default 1. */
  seed?: number;
}

const words = ['so ', 'it ', 'was ', 'written ', 'by ', 'many ', 'hands. '];

/** Starts a crowd of editors. It first grows, then its editors come and go. */
export function simulateEditors({
  servers,
  rooms,
  editors: crowd = 20,
  stepMs = 100,
  seed = 1,
}: SimulationOptions): SimulatedEditors {
  const random = createRandom(seed);
  const editors = new Set<Editor>();
  const leaving = new Set<Promise<void>>();
  const timer = setInterval(step, stepMs);
  return { count: () => editors.size, stop };

  function step(): void {
    const editor = pick(random, [...editors]);
    const chance = random();
    if (!editor || (editors.size < crowd && chance < 0.6)) join();
    else if (chance < 0.85 && editor.text.length < 2_000) editor.type(pick(random, words) ?? '');
    else remove(editor);
  }

  function join(): void {
    const serverUrl = pick(random, servers());
    const room = pickRoom(random, rooms);
    if (serverUrl === undefined || room === undefined) return;
    editors.add(joinRoom({ serverUrl, room, name: `editor ${Math.floor(random() * 1_000)}` }));
  }

  function remove(editor: Editor): void {
    editors.delete(editor);
    const left = editor.leave().finally(() => leaving.delete(left));
    leaving.add(left);
  }

  async function stop(): Promise<void> {
    clearInterval(timer);
    for (const editor of [...editors]) remove(editor);
    await Promise.all(leaving);
  }
}

/** Prefers the first rooms, so that some rooms are busier than others. */
function pickRoom(random: Random, rooms: readonly string[]): string | undefined {
  return rooms[Math.floor(random() ** 2 * rooms.length)];
}
