import type { Roster } from '../../machines/roster.js';
import type { Tally } from '../../machines/tally.js';
import type { IncompleteReason } from '../wire/serviceState.js';

/** The data that decides whether totals are complete. */
export interface Counted {
  roster: Pick<Roster, 'size' | 'live'>;
  tally: Pick<Tally, 'overLimit' | 'snapshotDue'>;
  /** Whether every discovery source has answered since the start. */
  haveSourcesAnswered: boolean;
}

/** Why the totals are not complete; null: at least one server is known, and all are counted in full. */
export function incompleteReason(
  isCounting: boolean,
  { roster, tally, haveSourcesAnswered }: Counted,
): IncompleteReason | null {
  if (!isCounting) return 'not_counting';
  if (roster.size === 0) return 'no_server_known';
  if (roster.live < roster.size) return 'servers_missing';
  if (tally.overLimit.size > 0) return 'over_limit';
  if (tally.snapshotDue.size > 0) return 'snapshot_due';
  return haveSourcesAnswered ? null : 'source_unanswered';
}
