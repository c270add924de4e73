import { docs, getYDoc, type WSSharedDoc } from '@y/websocket-server/utils';
import { encodeStateAsUpdate } from 'yjs';
import type { AgentDocuments } from './dashboardAgent.js';

/** The library's documents as the agent sees them. */
export const documents: AgentDocuments = {
  connections: () => Array.from(docs, ([room, doc]) => [room, doc.conns.size] as const),
  encodedState: (room: string) => {
    const doc = docs.get(room);
    return doc && encodeStateAsUpdate(doc);
  },
};

// The documents' own book of connections, which the library keeps exactly: a connection that fails
// to take a message or a ping leaves it before, or without, a `close` event.
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

/** Rooms of this process: in memory from their first connection until a while after their last. */
export const createRooms = ({
  opened,
  closed,
  created = () => undefined,
  forgetAfterMs,
}: {
  opened(room: string): void;
  closed(room: string): void;
  /** A room came into memory; it leaves with its document's `destroy`. */
  created?: (doc: WSSharedDoc) => void;
  forgetAfterMs: number;
}) => {
  const forgetting = new Map<string, NodeJS.Timeout>();

  const forget = (doc: WSSharedDoc) => {
    forgetting.delete(doc.name);
    docs.delete(doc.name);
    doc.destroy();
  };
  const changed = (doc: WSSharedDoc, add: 1 | -1) => {
    clearTimeout(forgetting.get(doc.name));
    forgetting.delete(doc.name);
    if (doc.conns.size === 0) {
      forgetting.set(doc.name, setTimeout(forget, forgetAfterMs, doc).unref());
    }
    if (add === 1) opened(doc.name);
    else closed(doc.name);
  };
  /** To be called before the library lets a connection into the room. */
  const enter = (name: string) => {
    if (docs.has(name)) return;
    const doc = getYDoc(name);
    doc.conns = new WatchedConnections((add) => changed(doc, add));
    created(doc);
  };
  const forgetAll = () => {
    for (const timer of forgetting.values()) clearTimeout(timer);
    for (const doc of [...docs.values()]) forget(doc);
  };
  return { enter, forgetAll };
};
