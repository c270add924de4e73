import type { Config } from '../../server/config/config.js';
import type { Store } from '../../server/store/store.js';

/**
 * An embedded store in memory that opens when it is first asked for more than its servers: until somebody writes,
 * it has none. Most tests never ask, and opening costs more than all else that a service does at its start.
 */
export function storeWhenUsed(open: () => Promise<Store>): Store {
  let opening: Promise<Store> | undefined;
  const used = () => {
    opening ??= open();
    return opening;
  };
  return {
    rooms: {
      get: async (room) => (await used()).rooms.get(room),
      page: async (query) => (await used()).rooms.page(query),
      addresses: async (query) => (await used()).rooms.addresses(query),
    },
    servers: {
      list: async () => (opening ? (await opening).servers.list() : []),
      put: async (item) => (await used()).servers.put(item),
      remove: async (server) => (await used()).servers.remove(server),
    },
    connections: {
      put: async (connection) => (await used()).connections.put(connection),
      since: async function* (time) {
        yield* (await used()).connections.since(time);
      },
      newestFirst: async function* () {
        yield* (await used()).connections.newestFirst();
      },
    },
    close: async () => (await opening)?.close(),
  };
}

/** Whether the store of a service is an embedded one in memory, which is empty at the start. */
export function isInMemory(config: Config): boolean {
  const { dataDir, dynamodbTable, dynamodbServersTable, dynamodbConnectionsTable } = config;
  return [dataDir, dynamodbTable, dynamodbServersTable, dynamodbConnectionsTable].every(
    (value) => value === undefined,
  );
}
