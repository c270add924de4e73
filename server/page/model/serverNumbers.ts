import type { ServerRow } from './serverList.js';
import type { Known } from './whatIsKnown.js';

/** What the page may say of the numbers of one server. */
export interface ServerNumbers {
  connections: Known;
  rooms: Known;
}

type Told = Pick<ServerRow, 'state' | 'connections' | 'rooms' | 'overLimit' | 'last'>;

/**
 * Decides what the page may say of a server. `pastAtMs`: when the page heard its numbers, by `steadyNow()`, if they
 * are not of now; null: they are.
 */
export function serverNumbers(row: Told, pastAtMs: number | null): ServerNumbers {
  const bound = boundOf(row);
  const of = (name: 'connections' | 'rooms'): Known => {
    const { [name]: value, last } = row;
    if (value === null)
      return { is: 'unknown', last: last && { value: last[name], atMs: last.atMs } };
    if (pastAtMs !== null) return { is: 'past', value, atMs: pastAtMs };
    return bound ? { is: 'partial', value, bound } : { is: 'known', value };
  };
  return { connections: of('connections'), rooms: of('rooms') };
}

/** Posts of a deaf server do not arrive, and one that is late did not answer: their last numbers are shown. */
function boundOf({ state, overLimit }: Told): 'at least' | 'about' | undefined {
  if (state === 'deaf' || state === 'stale') return 'about';
  return overLimit ? 'at least' : undefined;
}
