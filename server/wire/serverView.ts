/** A pub-sub server as viewers see it. */
export interface ServerView {
  /** `host:port`. */
  id: string;
  /** What people call it; absent: it did not tell. */
  name?: string | undefined;
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

/** What a server with an agent tells of itself and its process. Null: it does not tell. */
export interface ServerAgent {
  /** When it told this, in ISO 8601. */
  toldAt: string;
  /** Optional parts of the protocol that it speaks. */
  capabilities: readonly string[];
  /** Versions of the agent, of the program around it, and of Node.js. */
  version: string | null;
  host: string | null;
  node: string | null;
  /** When its process started, in ISO 8601. */
  startedAt: string | null;
  memoryBytes: number | null;
  /** 99th percentile. */
  eventLoopDelayMs: number | null;
  /** Documents in memory; `idle`: of these, with nobody connected. */
  documents: { inMemory: number; idle: number } | null;
  /** Documents that wait to be stored, and that could not be stored. */
  stores: { pending: number; failed: number } | null;
}

/** An entry of `GET /api/servers`. */
export interface ServerDetails extends ServerView {
  /** Absent: it told nothing, as servers without an agent do. */
  agent?: ServerAgent | undefined;
  /**
   * Connections by which its counts were wrong when a snapshot corrected them, since it is counted. Null: it has no
   * snapshot. Absent: an earlier version answers.
   */
  drift?: number | null | undefined;
}
