/** A pub-sub server as viewers see it. */
export interface ServerView {
  /** `host:port`. */
  id: string;
  /** `unknown`, `silent`, `silencing`, `activating`, `live`, `stale`, `unreachable`; `gone` in events only. */
  state: string;
  /** When it last answered or posted, in ISO 8601; null: never. */
  lastHeardAt: string | null;
  /** Epoch of the snapshot that its counts are based on; null: it has none. */
  epoch: number | null;
  /** Rooms that have a connection on it; null: unknown, because it has no snapshot. */
  rooms: number | null;
  /** Null: unknown. */
  connections: number | null;
  /** Whether it reported more rooms than `MAX_ROOMS_PER_SERVER`. */
  overLimit: boolean;
  /** Why the last request to it failed; null: it did not fail. */
  lastFailure: string | null;
  /** Where it was told to post, without the token; null: nowhere. */
  callback: string | null;
}
