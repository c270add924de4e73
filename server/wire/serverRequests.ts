/** A request to a pub-sub server that has ended. */
export interface LoggedRequest {
  /** When it ended, in ISO 8601. */
  at: string;
  /** `activate`: post, and tell the connections. `silence`: stop posting. `probe`, `rooms`, `state`. */
  request: string;
  /** Since it was sent. */
  ms: number;
  /** Why it failed; null: it was answered. */
  cause: string | null;
}

/** The requests of one kind since the first one. */
export interface RequestSummary {
  request: string;
  answered: number;
  failed: number;
  /** Of the last one, and of the longest one, in milliseconds. */
  lastMs: number;
  longestMs: number;
}

/** Answer of `GET /api/servers/requests`. */
export interface ServerRequests {
  server: string;
  /** Time of the first request, in ISO 8601; null: there was none. */
  since: string | null;
  /** The kinds that there were. */
  kinds: RequestSummary[];
  /** The last 20, newest first. */
  recent: LoggedRequest[];
  /** Null: none failed. */
  lastFailure: LoggedRequest | null;
}
