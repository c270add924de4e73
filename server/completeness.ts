import type { Roster } from '../machines/roster.js';
import type { Tally } from '../machines/tally.js';

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

/** What the totals rest on. */
export interface Counted {
  roster: Pick<Roster, 'size' | 'live'>;
  tally: Pick<Tally, 'overLimit' | 'unsettled'>;
  /** Whether every source of servers has answered once. */
  areSourcesHeard: boolean;
}

/** Null: every known server is live and counted in full, there is one, and every source has named its own. */
export function incompleteReason(
  isCounting: boolean,
  { roster, tally, areSourcesHeard }: Counted,
): IncompleteReason | null {
  if (!isCounting) return 'not_counting';
  if (roster.size === 0) return 'no_server_known';
  if (roster.live < roster.size) return 'servers_missing';
  if (tally.overLimit.size > 0) return 'over_limit';
  if (tally.unsettled.size > 0) return 'snapshot_due';
  return areSourcesHeard ? null : 'source_unanswered';
}
