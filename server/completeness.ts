import type { Roster } from '../machines/roster.js';
import type { Tally } from '../machines/tally.js';

/**
 * Why the totals are not complete. `not_counting`: the servers are not asked now. `no_server_known`:
 * there is nobody to ask. `servers_missing`: not every known server is live. `over_limit`: a server
 * reported more than is counted of one.
 */
export type IncompleteReason =
  | 'not_counting'
  | 'no_server_known'
  | 'servers_missing'
  | 'over_limit';

/** What the totals rest on. */
export interface Counted {
  roster: Pick<Roster, 'size' | 'live'>;
  tally: Pick<Tally, 'overLimit'>;
}

/** Null: every known server is live and counted in full, and there is one. */
export function incompleteReason(
  isCounting: boolean,
  { roster, tally }: Counted,
): IncompleteReason | null {
  if (!isCounting) return 'not_counting';
  if (roster.size === 0) return 'no_server_known';
  if (roster.live < roster.size) return 'servers_missing';
  return tally.overLimit.size > 0 ? 'over_limit' : null;
}
