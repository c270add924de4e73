import type { Roster } from '../../machines/roster.js';
import type { Tally } from '../../machines/tally.js';
import type { IncompleteReason } from '../wire/serviceState.js';

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
