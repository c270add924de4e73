import { randomUUID } from 'node:crypto';
import { parseServerId } from '../addresses.js';
import { createClient } from '../store/dynamodb/client.js';
import { connectionsTable } from '../store/dynamodb/connectionsTable.js';
import { serversTable } from '../store/dynamodb/serversTable.js';
import type { TableNames } from '../store/dynamodb/tables.js';
import { within } from './childProcess.js';
import { createLane } from './lane.js';
import { createRoomHolder } from './roomHolder.js';

/** The metadata store that a pub-sub server writes to; region and credentials are the SDK's own variables. */
export type StoreWriterOptions = {
  tables: TableNames;
  /** Default: as the SDK's own variables say. */
  endpoint?: string;
  /** What is added to `remoteDocs`. Default: `host:port`, for servers that share an address. */
  address?: string;
  /** Default 5,000 ms; the item of a server lives for four of them. */
  heartbeatMs?: number;
};

/** Writes what a pub-sub server has to say to the store. Nothing here throws, rejects or is waited for. */
export type StoreWriter = {
  /** A connection joined a room; `document` tells when the room leaves memory. */
  opened(room: string, document: { once(event: 'destroy', left: () => void): unknown }): void;
  /** Takes the server out of the store, for a graceful stop. Resolves within some seconds. */
  close(): Promise<void>;
};

const withinMs = 1_500;
const lifetimeInBeats = 4;
const maxWaitingRows = 1_000;

const nothing = () => undefined;

/** Starts to write for the server with this id; whoever starts it closes it. */
export const startStoreWriter = (id: string, options: StoreWriterOptions): StoreWriter => {
  const { tables, endpoint, address = id, heartbeatMs = 5_000 } = options;
  const client = createClient({ withinMs, ...(endpoint !== undefined && { endpoint }) });
  const server = parseServerId(id);
  const servers = serversTable(client, tables.servers);
  const connections = connectionsTable(client, tables.connections);
  const rooms = createRoomHolder({ client, table: tables.rooms, address });
  const rows = createLane({ width: 4, maxWaiting: maxWaitingRows });
  const held = new WeakSet<object>();

  let beating: Promise<void> | undefined;
  const beat = () => {
    rooms.retry();
    if (beating) return;
    const expiresAt = Date.now() + lifetimeInBeats * heartbeatMs;
    const put = servers.put({ server, origin: 'registered', expiresAt });
    beating = put.catch(nothing).finally(() => {
      beating = undefined;
    });
  };
  beat();
  const timer = setInterval(beat, heartbeatMs);
  timer.unref();

  const opened: StoreWriter['opened'] = (room, document) => {
    if (!held.has(document)) {
      held.add(document);
      rooms.hold(room);
      document.once('destroy', () => rooms.release(room));
    }
    const row = { id: randomUUID(), roomName: room, timestamp: new Date().toISOString() };
    rows.run(() => connections.put(row)).catch(nothing);
  };
  const close = async () => {
    clearInterval(timer);
    const written = Promise.all([rooms.idle(), rows.idle()]);
    await Promise.all([
      within(withinMs, 'the store is too slow', written).catch(nothing),
      // A heartbeat under way would put the item back.
      Promise.resolve(beating)
        .then(() => servers.remove(server))
        .catch(nothing),
    ]);
    client.destroy();
  };
  return { opened, close };
};
