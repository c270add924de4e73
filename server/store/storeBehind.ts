import type { Store } from './store.js';

/** The tables of a store that is still being opened: each method waits for `opened` first. */
export function storeBehind(
  opened: () => Promise<Store>,
): Pick<Store, 'rooms' | 'servers' | 'connections'> {
  return {
    rooms: {
      get: async (room) => (await opened()).rooms.get(room),
      page: async (query) => (await opened()).rooms.page(query),
      addresses: async (query) => (await opened()).rooms.addresses(query),
    },
    servers: {
      list: async () => (await opened()).servers.list(),
      put: async (item) => (await opened()).servers.put(item),
      remove: async (server) => (await opened()).servers.remove(server),
    },
    connections: {
      put: async (connection) => (await opened()).connections.put(connection),
      since: async function* (time) {
        yield* (await opened()).connections.since(time);
      },
      newestFirst: async function* () {
        yield* (await opened()).connections.newestFirst();
      },
    },
  };
}
