import { randomUUID } from 'node:crypto';
import { parseServerId } from '../addresses.js';
import { createClient } from '../store/dynamodb/client.js';
import { connectionsTable } from '../store/dynamodb/connectionsTable.js';
import { serversTable } from '../store/dynamodb/serversTable.js';
import type { TableNames } from '../store/dynamodb/tables.js';
import { within } from './childProcess.js';
import { Lane } from './lane.js';
import { RoomHolder } from './roomHolder.js';

/** The metadata store of a pub-sub server. The usual AWS variables set region and credentials. */
export interface StoreWriterOptions {
  tables: TableNames;
  /** Default: set by the usual AWS variables. */
  endpoint?: string;
  /** The entry in `remoteDocs`. Default: `host:port`, for servers that share an address. */
  address?: string;
  /** Default 5,000 ms. The item of a server expires after four heartbeats. */
  heartbeatMs?: number;
}

/** Writes a pub-sub server's rooms and connections to the store. Never throws, rejects or blocks. */
export interface StoreWriter {
  /** A connection joined a room. `document` emits `destroy` when the room is unloaded. */
  opened(room: string, document: { once(event: 'destroy', left: () => void): unknown }): void;
  /** Removes the server from the store. Resolves within a few seconds. */
  close(): Promise<void>;
}

const withinMs = 1_500;
const lifetimeInBeats = 4;
const maxWaitingRows = 1_000;

/** Registers the server with this id, and starts its heartbeat. The caller must close it. */
export function startStoreWriter(id: string, options: StoreWriterOptions): StoreWriter {
  const { tables, endpoint, address = id, heartbeatMs = 5_000 } = options;
  const client = createClient({ withinMs, ...(endpoint !== undefined && { endpoint }) });
  const server = parseServerId(id);
  const servers = serversTable(client, tables.servers);
  const connections = connectionsTable(client, tables.connections);
  const rooms = new RoomHolder({ client, table: tables.rooms, address });
  const rows = new Lane({ width: 4, maxWaiting: maxWaitingRows });
  const held = new WeakSet<object>();
  let beating: Promise<void> | undefined;

  beat();
  const timer = setInterval(beat, heartbeatMs);
  timer.unref();
  return { opened, close };

  function beat(): void {
    rooms.retry();
    if (beating) return;
    const expiresAt = Date.now() + lifetimeInBeats * heartbeatMs;
    const put = servers.put({ server, origin: 'registered', expiresAt });
    beating = put.catch(ignore).finally(() => {
      beating = undefined;
    });
  }

  function opened(...[room, document]: Parameters<StoreWriter['opened']>): void {
    if (!held.has(document)) {
      held.add(document);
      rooms.hold(room);
      document.once('destroy', () => rooms.release(room));
    }
    const row = { id: randomUUID(), roomName: room, timestamp: new Date().toISOString() };
    rows.run(() => connections.put(row)).catch(ignore);
  }

  async function close(): Promise<void> {
    clearInterval(timer);
    const written = Promise.all([rooms.idle(), rows.idle()]);
    await Promise.all([
      within(withinMs, 'the store is too slow', written).catch(ignore),
      // A heartbeat in flight would put the item back.
      Promise.resolve(beating)
        .then(() => servers.remove(server))
        .catch(ignore),
    ]);
    client.destroy();
  }
}

function ignore(): void {}
