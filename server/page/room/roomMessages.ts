/** What the stream of a room tells, as of docs/protocol.md, "Watching a room". */

/** How the room stands to its viewers. */
export type RoomStanding =
  | 'locating'
  | 'merging'
  | 'live'
  | 'polling'
  | 'unreadable'
  | 'waiting'
  | 'gone'
  | 'unaskable';

/** What is not there on a server. */
interface LackingServer {
  server: string;
  structs: { client: number; from: number; to: number }[];
  missingStructs: number;
  missingDeletions: number;
}

/** What a server misses of what the room's servers hold together, and what it has otherwise. */
export interface DivergedServer extends LackingServer {
  conflicts: { client: number; from: number; to: number }[];
  conflictingStructs: number;
}

/** A server that has updates which it cannot apply yet. */
export type WaitingServer = LackingServer;

/** A server whose answer for the room could not be read, and why. */
export interface UnreadableServer {
  server: string;
  reason: string;
}

/** The data of a `room` event. */
export interface RoomStatus {
  room: string;
  state: RoomStanding;
  source: 'redis' | 'poll';
  /** What is known of the room's channel, and of the one that tells who is there. */
  channel: 'none' | 'connecting' | 'subscribed' | 'followed' | 'silent' | 'lost' | 'refused';
  presence: 'none' | 'connecting' | 'subscribed' | 'lost' | 'refused';
  servers: string[];
  /** Servers that may hold the room, and are too many to be asked. */
  notAsked: number;
  tooLarge: boolean;
  diverged: DivergedServer[];
  unreadable: UnreadableServer[];
  waitingFor: WaitingServer[];
  garbage: number;
}

/** One who is in the room. */
export interface RoomClient {
  client: number;
  clock: number;
  /** Null when it is left out, for the reason in `omitted`. */
  state: unknown;
  omitted?: 'too_large' | 'too_deep';
  /** Of a state that is left out. */
  bytes?: number;
}

/** The data of an `awareness` event: everybody who is in the room, as far as they are known. */
export interface RoomPeople {
  clients: readonly RoomClient[];
  /** People who are here and not in `clients`. */
  leftOut: number;
  /** Announcements that the service did not read. */
  dropped: number;
  /** Since when announcements are followed; null: they are not. */
  since: string | null;
}

/** The data of an `awareness-changes` event: who came, changed or went. */
export interface PeopleChanges extends RoomPeople {
  gone: readonly number[];
}

/** An update as the log has it. */
export interface LogEntry {
  number: number;
  at: string;
  bytes: number;
  clients: { client: number; from: number; to: number }[];
  inserted: number;
  deleted: number;
  types: string[];
  /** Ranges and types that are not listed. */
  more: number;
  /** False: Yjs applies it, and the service cannot describe it. */
  isExamined: boolean;
}

/** A server and its part in the room: `GET /api/rooms/<name>/servers`. */
export interface RoomServer {
  server: string;
  stored: boolean;
  connections: number | null;
  answer: 'holds' | 'denies' | 'failed' | 'unasked';
  failure: string | null;
  finding:
    | 'unreadable'
    | 'waiting_for'
    | 'dead_address'
    | 'denied'
    | 'not_stored'
    | 'no_connection'
    | null;
}

/** The answer of `GET /api/rooms/<name>/servers`. */
export interface RoomServers {
  id: string;
  askable: boolean;
  storable: boolean;
  servers: RoomServer[];
  /** Servers that may hold the room, and are too many to be asked. */
  notAsked: number;
  storeAgeSeconds: number | null;
  storeStale: boolean;
}
