import type { IncomingMessage } from 'node:http';
import { docs, getYDoc, setupWSConnection } from '@y/websocket-server/utils';
import type { WebSocket } from 'ws';
import type { Awareness } from 'y-protocols/awareness';
import type { Doc } from 'yjs';
import { watchMap } from '../agent/watchMap.js';

/** A document with the connections to it, each with the ids of its clients. */
export interface SharedDocument extends Doc {
  readonly name: string;
  readonly awareness: Awareness;
  readonly conns: Map<object, Set<number>>;
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

/** The settings of `createRooms`. */
export interface RoomsOptions {
  /** A connection has joined the room. */
  opened(room: string): void;
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
  const { opened, created = () => undefined, forgetAfterMs } = options;
  const { docs, open } = options.library ?? yWebsocket;
  const timers = new Map<string, NodeJS.Timeout>();
  return { enter, forgetAll };

  function enter(name: string): void {
    if (docs.has(name)) return;
    const doc = open(name);
    watchMap(doc.conns, (connection) => changed(doc, connection !== undefined));
    created(doc);
  }

  function changed(doc: SharedDocument, isOpened: boolean): void {
    clearTimeout(timers.get(doc.name));
    timers.delete(doc.name);
    if (doc.conns.size === 0) timers.set(doc.name, setTimeout(forget, forgetAfterMs, doc).unref());
    if (isOpened) opened(doc.name);
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
