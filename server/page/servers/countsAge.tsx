import { isCurrent, known } from '../model/fleet.js';
import { pollMs } from '../model/polling.js';

/** Of when the counts of a list of servers are: the totals above it change at once. */
export function CountsAge() {
  if (!isCurrent.value || known.value.connections.is === 'unknown') return null;
  return (
    <span class="quiet small" title="So they may differ from the totals, which change at once.">
      Counts by server: every {pollMs / 1000} s
    </span>
  );
}
