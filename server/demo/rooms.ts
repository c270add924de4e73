import type { IncomingMessage } from 'node:http';
import { docs, getYDoc, setupWSConnection } from '@y/websocket-server/utils';
import type { WebSocket } from 'ws';
import type { Awareness } from 'y-protocols/awareness';
import { type Doc, encodeStateAsUpdate } from 'yjs';
import type { AgentDocuments } from '../agent/createAgent.js';

/** A document with the connections to it, each with the ids of its clients. */
export interface SharedDocument extends Doc {
  readonly name: string;
  readonly awareness: Awareness;
  conns: Map<unknown, Set<number>>;
}

/** Where the documents of a server are, and how connections join them. */
export interface Library {
  readonly docs: Map<string, SharedDocument>;
  /** Loads a document into memory. */
  open(room: string): SharedDocument;
  /** Adds a connection to the document, which is in memory. */
  join(socket: WebSocket, request: IncomingMessage, room: string): void;
}

/** `@y/websocket-server`. */
export const yWebsocket: Library = {
  docs,
  open: getYDoc,
  join: (socket, request, docName) => setupWSConnection(socket, request, { docName }),
};

/** The documents of a library, for the agent. */
export function documentsOf({ docs }: Library): AgentDocuments {
  return {
    connections: () => Array.from(docs, ([room, doc]) => [room, doc.conns.size] as const),
    encodedState: (room) => {
      const doc = docs.get(room);
      return doc && encodeStateAsUpdate(doc);
    },
  };
}

/** The documents of `@y/websocket-server`, for the agent. */
export const documents = documentsOf(yWebsocket);

/** The settings of `createRooms`. */
export interface RoomsOptions {
  opened(room: string): void;
  closed(room: string): void;
  /** A room was loaded into memory. Its document emits `destroy` when it is unloaded. */
  created?: (doc: SharedDocument) => void;
  /** How long a room stays in memory after its last connection. */
  forgetAfterMs: number;
  /** Default: `@y/websocket-server`. */
  library?: Library;
}

/** The rooms of this process. */
export interface Rooms {
  /** Call it before the library adds a connection to the room. */
  enter(name: string): void;
  forgetAll(): void;
}

/** Watches the connections of all rooms, and unloads rooms without connections. */
export function createRooms(options: RoomsOptions): Rooms {
  const { opened, closed, created = () => undefined, forgetAfterMs } = options;
  const { docs, open } = options.library ?? yWebsocket;
  const timers = new Map<string, NodeJS.Timeout>();
  return { enter, forgetAll };

  function enter(name: string): void {
    if (docs.has(name)) return;
    const doc = open(name);
    doc.conns = new WatchedConnections((add) => changed(doc, add));
    created(doc);
  }

  function changed(doc: SharedDocument, add: 1 | -1): void {
    clearTimeout(timers.get(doc.name));
    timers.delete(doc.name);
    if (doc.conns.size === 0) timers.set(doc.name, setTimeout(forget, forgetAfterMs, doc).unref());
    if (add === 1) opened(doc.name);
    else closed(doc.name);
  }

  function forget(doc: SharedDocument): void {
    timers.delete(doc.name);
    docs.delete(doc.name);
    doc.destroy();
  }

  function forgetAll(): void {
    for (const timer of timers.values()) clearTimeout(timer);
    for (const doc of [...docs.values()]) forget(doc);
  }
}

/**
 * Replaces the document's own map of connections, which the library keeps exact. It removes a
 * connection that fails to take a message or a ping before, or without, a `close` event.
 */
class WatchedConnections extends Map<unknown, Set<number>> {
  readonly #changed: (add: 1 | -1) => void;

  constructor(changed: (add: 1 | -1) => void) {
    super();
    this.#changed = changed;
  }

  override set(connection: unknown, controlled: Set<number>): this {
    const isNew = !this.has(connection);
    super.set(connection, controlled);
    if (isNew) this.#changed(1);
    return this;
  }

  override delete(connection: unknown): boolean {
    const was = super.delete(connection);
    if (was) this.#changed(-1);
    return was;
  }
}
