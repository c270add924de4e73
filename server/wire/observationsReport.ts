/** A time of which the observations are not complete. */
export interface Gap {
  from: string;
  /** Null: it continues. */
  to: string | null;
  /** `unwatched`: there was no viewer. `incomplete`: the counts did not include every server. */
  reason: 'unwatched' | 'incomplete';
}

/** The state of saving observations. */
export interface SaveReport {
  /** When they were last saved; null: not in this run. */
  at: string | null;
  /** Saves of this run that failed, or did not start because the previous one was still running. */
  failures: number;
}

/** Answer of `GET /api/observations`. */
export interface ObservationsReport {
  observing: boolean;
  /** Older observations are not kept. */
  since: string;
  gaps: Gap[];
  /** `leftOut`: rooms that have a connection now but exceed the limit. */
  rooms: { kept: number; leftOut: number };
  /** `leftOut`: connections of this run that were observed but exceed the limit. */
  connections: { kept: number; leftOut: number };
  /** Null: they are kept in memory only. */
  saved: SaveReport | null;
}
