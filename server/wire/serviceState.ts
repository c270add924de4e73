import type { DependencyReport } from './dependencyReport.js';
import type { SourceReport } from './sourceReport.js';

/** Why the totals are not complete. */
export type IncompleteReason =
  /** The service is not active, so it does not ask the servers. */
  | 'not_counting'
  | 'no_server_known'
  /** Some known servers are not live. */
  | 'servers_missing'
  /** A server reported more rooms than `MAX_ROOMS_PER_SERVER`. */
  | 'over_limit'
  /** A server posted with the token of a start-up answer, so it may have restarted. Its next snapshot tells. */
  | 'snapshot_due'
  /** A discovery source has not answered since the start, so servers may be missing. */
  | 'source_unanswered';

/** The state of the service. */
export interface ServiceState {
  /** `inactive`, `activating`, `active`, `deactivating`, `stopped`. */
  state: string;
  /** Substate of `active`: `watched` or `lingering`; else null. */
  detail: string | null;
  viewers: number;
  servers: number;
  /** Live servers: the totals include their numbers. */
  live: number;
  /** Null: unknown. */
  rooms: number | null;
  connections: number | null;
  /** Whether there are known servers, all of them are live, and all their rooms are counted. */
  complete: boolean;
  /** Why it is not complete; null: it is. */
  reason: IncompleteReason | null;
}

/** A time in which the process of the service did not run, so it heard nobody. */
export interface PauseReport {
  /** ISO 8601. */
  endedAt: string;
  seconds: number;
}

/** Answer of `GET /api/state`. */
export interface StateReport extends ServiceState {
  /**
   * Connections by which the counts were wrong when a snapshot corrected them, since this leader began; 0 if all
   * was exact. Posts that were only late do not count.
   */
  drift: number;
  /** The last pause of the service since it was started; null: there was none. In a cluster: that of the leader. */
  lastPause: PauseReport | null;
  discovery: SourceReport[];
  /** What the service uses outside itself, and whether it answers. In a cluster: that of the leader. */
  dependencies: DependencyReport[];
}
