/**
 * Why the totals are not complete. `not_counting`: the servers are not asked now. `no_server_known`:
 * there is nobody to ask. `servers_missing`: not every known server is live. `over_limit`: a server
 * reported more than is counted of one. `source_unanswered`: a source of servers has not answered since
 * the start, so there may be servers that nobody knows of. `snapshot_due`: somebody posted under a
 * start-up answer, so a server may have begun anew; its next snapshot tells.
 */
export type IncompleteReason =
  | 'not_counting'
  | 'no_server_known'
  | 'servers_missing'
  | 'over_limit'
  | 'snapshot_due'
  | 'source_unanswered';

/** The state of the service as `GET /api/state` shows it. */
export interface ServiceState {
  /** `inactive`, `activating`, `active`, `deactivating`, `stopped`. */
  state: string;
  /** Of `active`: `watched` or `lingering`; else null. */
  detail: string | null;
  viewers: number;
  servers: number;
  /** Servers whose numbers are in the totals and believed. */
  live: number;
  /** Null: unknown. */
  rooms: number | null;
  connections: number | null;
  /** Whether there are known servers, and all of them are live and counted in full. */
  complete: boolean;
  /** Why it is not complete; null: it is. */
  reason: IncompleteReason | null;
}
