import type { Divergence, MissingRanges } from './divergence.js';

/** What is wrong with a server of a room. */
export type Finding =
  /** The server's answer is not a Yjs document. */
  | 'unreadable'
  /** The server cannot apply some updates because it lacks others. */
  | 'waiting_for'
  /** The store names an address at which no server answers. */
  | 'dead_address'
  /** The store or the live counts name the server, but it says that it does not hold the room. */
  | 'denied'
  /** The server holds the room, but the store does not name it. */
  | 'not_stored'
  /** The server holds the room in memory, but has no connection in it. */
  | 'no_connection';

/** A server and its part in a room. */
export interface RoomServer {
  server: string;
  /** Whether the store names it. */
  stored: boolean;
  /** From the live counts; null: unknown. */
  connections: number | null;
  /** Its answer: it holds the room, denies it, failed to answer, or could not be asked. */
  answer: 'holds' | 'denies' | 'failed' | 'unasked';
  /** Why it failed; null: it did not. */
  failure: string | null;
  /** Null: nothing is wrong. */
  finding: Finding | null;
  /** What it lacks to apply its updates; null: nothing, or unknown. */
  waitingFor: MissingRanges | null;
}

/** Answer of `GET /api/room/servers`. */
export interface RoomServers {
  id: string;
  /** Whether the servers that seem to hold it can be asked for a room of this name. */
  askable: boolean;
  /** Whether the store can hold a room of this name. */
  storable: boolean;
  servers: readonly RoomServer[];
  /** Servers that may hold the room but were not asked, because they are too many. */
  notAsked: number;
  /** When it was created and last changed: by the store, or when this service first and last saw a connection. */
  createdAt: string | null;
  updatedAt: string | null;
  /** Whether the dates are what this service saw, because the store has none. */
  observed: boolean;
  /** Size of the stored document; null: not known. */
  bytes: number | null;
  /** Null: the store does not have the room. */
  storeAgeSeconds: number | null;
  storeStale: boolean;
  /** Servers that differ from the others; only while the room is watched. */
  diverged?: readonly Divergence[];
}
