import type { RoomName, ServerId } from '../../../machines/ports.js';
import type { KnownCounts } from '../../fleet/knownCounts.js';
import type { SeenRoom } from '../../observations/seenRooms.js';

/** A pub-sub server that may be asked for a room. */
export interface KnownServer {
  server: ServerId;
  /** Connections in the room that it reported; null: unknown. */
  connections: number | null;
  /** Whether it takes every name of a room, and not only raw names. */
  takesNames: boolean;
}

/** A server that may hold a room. */
export interface Holder extends KnownServer {
  /** Whether the metadata store names its address. */
  isStored: boolean;
}

/** What is known of one room on the servers of the fleet. */
export interface RoomFacts {
  /** Servers at the addresses of the store, and those that reported connections. */
  holders: readonly (Holder & {
    /** It was removed because it did not answer. */ isGone: boolean;
  })[];
  /** Connections on all servers; null: unknown. */
  connections: number | null;
  /** Whether `connections` includes every known server. */
  isComplete: boolean;
  /** When connections in the room were observed; undefined: never, or unknown. */
  seen: SeenRoom | undefined;
}

/**
 * What the fleet knows of rooms: from the machine where it runs, else from the leader. Its promises never reject;
 * without a leader they answer with what is remembered.
 */
export interface FleetFacts {
  /** `addresses`: what the store names for the room. */
  factsOf: (room: RoomName, addresses: readonly string[]) => Promise<RoomFacts>;
  /** All servers that may be asked for a room. */
  serversFor: (room: RoomName) => Promise<KnownServer[]>;
  /** One server that `factsOf` or `serversFor` named a moment ago. */
  about: (server: ServerId, room: RoomName) => KnownServer;
  /** Whether any server takes all names, as far as that is known. */
  isAnyTakingNames: () => boolean;
}

/** The counts that the list of rooms shows. */
export interface ListedCounts {
  counts: () => Pick<KnownCounts, 'of' | 'serversOf' | 'isCompleteFor' | 'isComplete'>;
  /** Connections of every room with at least one. */
  totals: () => ReadonlyMap<RoomName, number>;
  /** Whether the server at an address of the store was removed because it did not answer. */
  isGone: (address: string) => boolean;
}
