/** A Yjs client in a room. */
export interface RoomClient {
  client: number;
  clock: number;
  /**
   * When the service first heard of it since it last left, in ISO 8601. It may have been there before. Absent: an
   * instance of an earlier version does not tell.
   */
  since?: string | undefined;
  /** Null if it is omitted; `omitted` says why. */
  state: unknown;
  omitted?: 'too_large' | 'too_deep';
  /** Size of an omitted state. */
  bytes?: number;
}

/** Data of the event `awareness`: all clients in the room that the service knows. */
export interface RoomPeople {
  clients: readonly RoomClient[];
  /** Clients in the room that are not in `clients`. */
  leftOut: number;
  /** Awareness messages that the service dropped unread. */
  dropped: number;
  /** When the service began to follow awareness; null: it does not. */
  since: string | null;
}

/** Data of the event `awareness-changes`: clients that came, changed or left. */
export interface PeopleChanges extends RoomPeople {
  gone: readonly number[];
}
