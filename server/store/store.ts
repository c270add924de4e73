import type { RoomName, ServerId } from '../../machines/ports.js';

/** What the metadata store says of a room: an item of the table that the pub-sub servers write. */
export interface StoredRoom {
  id: RoomName;
  /** Addresses of the servers that hold it in memory; one that crashed may still be among them. */
  addresses: readonly string[];
  /** ISO 8601 times and the stored size, where the pub-sub servers write them. */
  createdAt?: string;
  updatedAt?: string;
  bytes?: number;
}

/** Whether the store can hold a room of this name: DynamoDB takes keys of 1 to 2,048 bytes of UTF-8. */
export function isStorable(room: RoomName): boolean {
  const bytes = Buffer.from(room);
  // Half a surrogate pair has no UTF-8: written, it would become the name of another room.
  return bytes.length > 0 && bytes.length <= 2048 && bytes.toString() === room;
}

/** One reading of part of a table; it may be short, or empty, although more follows. */
export interface Page<Item> {
  items: Item[];
  /** Where the next page begins; undefined: this was the last. */
  cursor?: string;
}

/** Rooms by name. Every method rejects with `StoreError` when the store does not answer in time. */
export interface RoomsTable {
  /** Undefined for rooms without an item, and for names that the store cannot hold. */
  get(room: RoomName): Promise<StoredRoom | undefined>;
  /** Reads at most `maxRead` items, keeps those whose name begins with `prefix`, at most `limit`. */
  page(query: {
    limit: number;
    maxRead: number;
    prefix?: string;
    cursor?: string;
  }): Promise<Page<StoredRoom>>;
  /** The addresses in the items from `cursor` on, each once a page; only that attribute is read. */
  addresses(query: { maxRead: number; cursor?: string }): Promise<Page<string>>;
}

/** A pub-sub server that registered itself, or that this service remembers. */
export interface StoredServer {
  server: ServerId;
  /** `registered`: by its own heartbeat. `remembered`: it once sent a start-up query and proved real. */
  origin: 'registered' | 'remembered';
  /** When the item stops to count, in milliseconds since 1970. */
  expiresAt: number;
}

/** How long a server is remembered after it was heard of: `expiresAt` says when it was. */
export const rememberedForMs = 30 * 24 * 60 * 60 * 1000;

/** Pub-sub servers by id. Rejects with `StoreError`. */
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
  /** This service saw it open; it is not from the store. */
  observed?: true;
}

/** Connections opened in the last 48 hours. Rejects with `StoreError`. */
export interface ConnectionsTable {
  /** Used by the pub-sub side; this service only reads. */
  put(connection: StoredConnection): Promise<void>;
  /** Those opened at or after a time, in pages, ascending in time. */
  since(time: Date): AsyncIterable<StoredConnection[]>;
  /** All of the last 48 hours, in pages, the newest first. */
  newestFirst(): AsyncIterable<StoredConnection[]>;
}

/** What this service saw itself, as texts of at most 200,000 bytes. Rejects with `StoreError`. */
export interface ObservationsTable {
  /** What was saved last; empty: nothing. To be called before `save`. */
  load(): Promise<string[]>;
  /** Replaces what was saved; when it fails, what was saved before is still there. */
  save(blocks: Iterable<string>): Promise<void>;
}

/** A cursor that no page of this table ended with. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor';
}

/** The metadata store did not do what it was asked: throttled, timed out, unreachable, refused. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/** The metadata store with its tables. */
export interface Store {
  rooms: RoomsTable;
  servers: ServersTable;
  connections: ConnectionsTable;
  /** Undefined: nothing is kept beyond the process. */
  observations?: ObservationsTable | undefined;
  /** Ends its connections, and the embedded server if it is that. */
  close(): Promise<void>;
}
