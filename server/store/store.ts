import type { RoomName, ServerId } from '../../machines/ports.js';

/** A room in the metadata store: an item of the table that the pub-sub servers write. */
export interface StoredRoom {
  id: RoomName;
  /** Addresses of the servers that hold it in memory. Servers that crashed may be among them. */
  addresses: readonly string[];
  /** Times in ISO 8601, and the stored size, if the pub-sub servers write them. */
  createdAt?: string;
  updatedAt?: string;
  bytes?: number;
}

/** Whether the store can hold a room of this name. Keys of DynamoDB have 1 to 2,048 bytes of UTF-8. */
export function isStorable(room: RoomName): boolean {
  const bytes = Buffer.from(room);
  // A lone surrogate has no UTF-8: it would be written as the name of another room.
  return bytes.length > 0 && bytes.length <= 2048 && bytes.toString() === room;
}

/** A part of a table. It may be short or empty although more follows. */
export interface Page<Item> {
  items: Item[];
  /** For the next page; undefined: this is the last. */
  cursor?: string;
}

/** Rooms by name. Methods reject with `StoreError`, also if the store does not answer in time. */
export interface RoomsTable {
  /** Undefined for rooms without an item, and for names that the store cannot hold. */
  get(room: RoomName): Promise<StoredRoom | undefined>;
  /** Reads up to `maxRead` items, and returns up to `limit` of those whose name begins with `prefix`. */
  page(query: {
    limit: number;
    maxRead: number;
    prefix?: string;
    cursor?: string;
  }): Promise<Page<StoredRoom>>;
  /** The distinct addresses in the next `maxRead` items. */
  addresses(query: { maxRead: number; cursor?: string }): Promise<Page<string>>;
}

/** A pub-sub server that registered itself, or that this service remembers. */
export interface StoredServer {
  server: ServerId;
  /** `registered`: it sends heartbeats. `remembered`: it sent a start-up query and answered a request. */
  origin: 'registered' | 'remembered';
  /** When the item expires, in milliseconds since 1970. */
  expiresAt: number;
}

/** How long a server is remembered after its last answer. */
export const rememberedForMs = 30 * 24 * 60 * 60 * 1000;

/** Pub-sub servers by id. Methods reject with `StoreError`. */
export interface ServersTable {
  /** The items that have not expired. */
  list(): Promise<StoredServer[]>;
  put(item: StoredServer): Promise<void>;
  remove(server: ServerId): Promise<void>;
}

/** One connection that was opened. */
export interface StoredConnection {
  id: string;
  roomName: RoomName;
  /** ISO 8601. */
  timestamp: string;
  /** This service observed it; it is not from the store. */
  observed?: true;
}

/** Connections opened in the last 48 hours. Methods reject with `StoreError`. */
export interface ConnectionsTable {
  /** For pub-sub servers; this service only reads. */
  put(connection: StoredConnection): Promise<void>;
  /** Connections opened at or after a time, in pages, the oldest first. */
  since(time: Date): AsyncIterable<StoredConnection[]>;
  /** All connections of the last 48 hours in pages, the newest first. */
  newestFirst(): AsyncIterable<StoredConnection[]>;
}

/** What this service observed, as texts of at most 200,000 bytes. Methods reject with `StoreError`. */
export interface ObservationsTable {
  /** The last save; empty: nothing was saved. Call it before `save`. */
  load(): Promise<string[]>;
  /** Replaces the last save. If it fails, the last save is kept. */
  save(blocks: Iterable<string>): Promise<void>;
}

/** The cursor is not from a page of this table. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor';
}

/** A request to the metadata store failed: throttled, timed out, unreachable or refused. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/** The metadata store with its tables. */
export interface Store {
  rooms: RoomsTable;
  servers: ServersTable;
  connections: ConnectionsTable;
  /** Undefined: observations do not survive the process. */
  observations?: ObservationsTable | undefined;
  /** Closes its connections, and the embedded server if there is one. */
  close(): Promise<void>;
}
