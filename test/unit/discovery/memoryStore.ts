import type { ServerId } from '../../../machines/ports.js';
import { type Store, type StoredServer, StoreError } from '../../../server/store/store.js';

/** A metadata store in memory; discovery uses no more of it than this. */
export interface MemoryStore extends Store {
  items: Map<ServerId, StoredServer>;
  /** The addresses of one room after another. */
  roomAddresses: string[];
  /** What was asked: `list`, `put <id>`, `remove <id>`, `addresses <cursor> <maxRead>`. */
  asked: string[];
  /** Fails every method from now on, or no longer. */
  fail(isFailing: boolean): void;
  register(server: ServerId, lifetimeMs?: number): void;
}

export function memoryStore(): MemoryStore {
  const items: MemoryStore['items'] = new Map();
  const roomAddresses: string[] = [];
  const asked: string[] = [];
  let isFailing = false;
  const note = async (what: string) => {
    asked.push(what);
    if (isFailing) throw new StoreError('unreachable');
  };
  const unused = () => {
    throw new Error('not a part of discovery');
  };
  return {
    items,
    roomAddresses,
    asked,
    fail: (wish) => {
      isFailing = wish;
    },
    register: (server, lifetimeMs = 60_000) => {
      items.set(server, { server, origin: 'registered', expiresAt: Date.now() + lifetimeMs });
    },
    rooms: {
      get: unused,
      page: unused,
      addresses: async ({ maxRead, cursor }) => {
        await note(`addresses ${cursor ?? 0} ${maxRead}`);
        const from = Number(cursor ?? 0);
        const to = from + maxRead;
        const page = roomAddresses.slice(from, to);
        return { items: page, ...(to < roomAddresses.length && { cursor: String(to) }) };
      },
    },
    servers: {
      list: async () => {
        await note('list');
        return [...items.values()];
      },
      put: async (item) => {
        await note(`put ${item.server}`);
        items.set(item.server, item);
      },
      remove: async (server) => {
        await note(`remove ${server}`);
        items.delete(server);
      },
    },
    connections: { put: unused, since: unused, newestFirst: unused },
    close: async () => {},
  };
}
