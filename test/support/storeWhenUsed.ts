import type { Config } from '../../server/config/config.js';
import type { Store } from '../../server/store/store.js';
import { storeBehind } from '../../server/store/storeBehind.js';

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
  const store = storeBehind(used);
  return {
    ...store,
    servers: { ...store.servers, list: async () => (opening ? store.servers.list() : []) },
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
