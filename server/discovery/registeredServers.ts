import type { ServersTable } from '../store/store.js';
import type { Source } from './source.js';

/** The servers that register themselves in the store, by a heartbeat. */
export function registeredServers(table: ServersTable): Source {
  return {
    name: 'registered',
    discover: async () => {
      const now = Date.now();
      const items = await table.list();
      return items
        .filter(({ origin, expiresAt }) => origin === 'registered' && expiresAt > now)
        .map(({ server }) => server);
    },
  };
}
