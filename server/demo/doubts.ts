import type { ServiceView } from './serviceFeed.js';

/** What the fleet's own servers report: by server, by room; undefined for one that does not answer. */
export type Truth = ReadonlyMap<string, Readonly<Record<string, number>> | undefined>;

/** Connections of a room on all servers, as the servers themselves report them. */
export const sumOf = (truth: Truth, room: string): number => {
  let sum = 0;
  for (const rooms of truth.values()) sum += rooms?.[room] ?? 0;
  return sum;
};

// Only where the service claims to know can it be wrong: a server that is killed, or hangs, is
// shown as stale first, and its numbers go after a stated time, when it is unreachable.
const isComparable = (view: ServiceView, truth: Truth): boolean =>
  view.isConnected &&
  [...truth].every(([id, rooms]) => rooms && view.servers.get(id)?.state === 'live') &&
  [...view.servers.values()].every(({ id, state }) => truth.has(id) || state === 'unreachable');

/** Compares the service's counts with the truth; a room is doubted when it is wrong for longer. */
export const createDoubts = ({ afterMs }: { afterMs: number }) => {
  const wrongSince = new Map<string, number>();
  return (view: ServiceView, truth: Truth, nowMs: number): ReadonlySet<string> => {
    const rooms = new Set(view.rooms.keys());
    for (const counts of truth.values()) for (const room in counts) rooms.add(room);
    const comparable = isComparable(view, truth);
    for (const room of [...wrongSince.keys(), ...rooms]) {
      const isWrong = comparable && sumOf(truth, room) !== (view.rooms.get(room) ?? 0);
      if (!isWrong) wrongSince.delete(room);
      else if (!wrongSince.has(room)) wrongSince.set(room, nowMs);
    }
    return new Set(
      [...wrongSince].filter(([, since]) => nowMs - since > afterMs).map(([it]) => it),
    );
  };
};
