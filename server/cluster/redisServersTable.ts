import { parseServerId } from '../addresses.js';
import { type ServersTable, type StoredServer, StoreError } from '../store/store.js';
import type { ClusterConnection } from './connect.js';
import { clusterKeys } from './keys.js';
import { readScript, runScript } from './scripts.js';

const putServer = readScript('putServer');

/** The servers table of a cluster: a hash of the server to `<origin> <expiry in ms since 1970>`. */
export function redisServersTable(connection: ClusterConnection): ServersTable {
  const { servers: key } = clusterKeys;
  return {
    async list() {
      const items = await orStoreError(() => connection.client.hgetall(key));
      const servers = Object.entries(items).flatMap(([id, text]) => toStoredServer(id, text) ?? []);
      const now = Date.now();
      const expired = servers.filter(({ expiresAt }) => expiresAt <= now);
      // Not awaited: the next listing tries again.
      void removeAll(connection, expired).catch(() => undefined);
      return servers.filter(({ expiresAt }) => expiresAt > now);
    },

    async put({ server, origin, expiresAt }) {
      const args = [server, origin, String(Math.ceil(expiresAt)), String(Date.now())];
      await orStoreError(() => runScript(connection.client, putServer, [key], args));
    },

    async remove(server) {
      await orStoreError(() => connection.client.hdel(key, server));
    },
  };
}

async function removeAll(
  { client }: ClusterConnection,
  servers: readonly StoredServer[],
): Promise<void> {
  const ids = servers.map(({ server }) => server);
  if (ids.length > 0) await client.hdel(clusterKeys.servers, ...ids);
}

async function orStoreError<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw new StoreError((cause as Error).message, { cause });
  }
}

/** Undefined if the item is not a server. */
function toStoredServer(id: string, text: string): StoredServer | undefined {
  const [, origin, expiresAt] = /^(registered|remembered) (\d{1,15})$/.exec(text) ?? [];
  if (origin !== 'registered' && origin !== 'remembered') return undefined;
  try {
    return { server: parseServerId(id), origin, expiresAt: Number(expiresAt) };
  } catch {
    return undefined;
  }
}
