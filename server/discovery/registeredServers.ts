import type { ServersTable } from '../store/store.js';
import type { Source } from './source.js';

/** The servers that register themselves in the store, by a heartbeat. `isOwn`: its table is embedded. */
export function registeredServers(table: ServersTable, { isOwn = false } = {}): Source {
  return {
    name: 'registered',
    isOwn,
    discover: async () => {
      const now = Date.now();
      const items = await table.list();
      return items
        .filter(({ origin, expiresAt }) => origin === 'registered' && expiresAt > now)
        .map(({ server }) => server);
    },
  };
}
