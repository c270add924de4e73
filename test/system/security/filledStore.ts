import type { Store, StoredRoom } from '../../../server/store/store.js';
import { emptyStore } from '../../support/emptyStore.js';

/** A metadata store with these rooms, in this order. A cursor is the name of the last room. */
export function filledStore(rooms: readonly StoredRoom[]): Store {
  const after = (cursor: string | undefined) =>
    cursor === undefined ? 0 : rooms.findIndex(({ id }) => id === cursor) + 1;
  const pageOf = (cursor: string | undefined, maxRead: number) => {
    const read = rooms.slice(after(cursor), after(cursor) + maxRead);
    const last = read.at(-1);
    return { read, ...(last && last !== rooms.at(-1) && { cursor: last.id as string }) };
  };
  return {
    ...emptyStore,
    rooms: {
      get: async (room) => rooms.find(({ id }) => id === room),
      page: async ({ limit, prefix = '', cursor }) => {
        const { read, ...rest } = pageOf(cursor, limit);
        return { items: read.filter(({ id }) => id.startsWith(prefix)), ...rest };
      },
      addresses: async ({ maxRead, cursor }) => {
        const { read, ...rest } = pageOf(cursor, maxRead);
        return { items: [...new Set(read.flatMap(({ addresses }) => addresses))], ...rest };
      },
    },
    connections: {
      put: async () => {},
      since: () => connectionsTo(rooms),
      newestFirst: () => connectionsTo(rooms),
    },
  };
}

/** One connection to each of these rooms. */
async function* connectionsTo(rooms: readonly StoredRoom[]) {
  const timestamp = new Date().toISOString();
  yield rooms.map(({ id: roomName }, i) => ({ id: String(i), roomName, timestamp }));
}
