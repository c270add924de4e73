/** Numbers of each second or each half minute. Null: not known, or nobody looked. */
export type HistoryNumbers = readonly (number | null)[];

/** The times of a history. All its lists have one entry for each step, from `from` on. */
export interface HistoryTimes {
  /** Seconds from one entry to the next. */
  step: 1 | 30;
  /** Time of the first entry, in ISO 8601; null: there is none. */
  from: string | null;
  /** Whether entries are being added now. */
  active: boolean;
}

/** Answer of `GET /api/history`: the whole fleet. */
export interface FleetHistory extends HistoryTimes {
  connections: HistoryNumbers;
  rooms: HistoryNumbers;
  /** Known servers. */
  servers: HistoryNumbers;
  /** Live servers. */
  live: HistoryNumbers;
  /** Whether the numbers included every known server. */
  complete: readonly (boolean | null)[];
  /** Servers and rooms that have a history of their own. */
  kept: { servers: number; rooms: number };
  /** Servers that have none, because 1,000 others have. */
  leftOut: { servers: number };
}

/** Answer of `GET /api/history?server=<id>`. */
export interface ServerHistory extends HistoryTimes {
  server: string;
  connections: HistoryNumbers;
  rooms: HistoryNumbers;
}

/** Answer of `GET /api/history?room=<name>`. */
export interface RoomHistory extends HistoryTimes {
  room: string;
  connections: HistoryNumbers;
  /** Whether every known server was counted. Absent: several rooms were asked for, or another version answers. */
  complete?: readonly (boolean | null)[];
  /** By server. Absent: not kept, because the room was not watched, or another version answers. */
  servers?: Readonly<Record<string, HistoryNumbers>>;
}
