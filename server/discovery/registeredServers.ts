import type { ServersTable } from '../store/store.js';
import type { DiscoverySource } from './discoverySource.js';

/** The servers that register themselves in the store by a heartbeat. */
export function registeredServers(
  table: ServersTable,
  { isEmbedded = false } = {},
): DiscoverySource {
  return {
    name: 'registered',
    isEmbedded,
    discover: async () => {
      const now = Date.now();
      const items = await table.list();
      return items
        .filter(({ origin, expiresAt }) => origin === 'registered' && expiresAt > now)
        .map(({ server }) => server);
    },
  };
}
