import type { ServiceView } from './serviceFeed.js';

/** What the pub-sub servers themselves report: counts by server and room; undefined: no answer. */
export type Truth = ReadonlyMap<string, Readonly<Record<string, number>> | undefined>;

/** Connections of a room on all servers, as the servers report them. */
export function sumOf(truth: Truth, room: string): number {
  let sum = 0;
  for (const rooms of truth.values()) sum += rooms?.[room] ?? 0;
  return sum;
}

/** Finds rooms whose count in the service differs from the servers' own for too long. */
export class Doubts {
  readonly #afterMs: number;
  readonly #wrongSince = new Map<string, number>();

  constructor({ afterMs }: { afterMs: number }) {
    this.#afterMs = afterMs;
  }

  /** Compares the current counts. Returns the rooms that have been wrong for longer than `afterMs`. */
  compare(view: ServiceView, truth: Truth, nowMs: number): ReadonlySet<string> {
    const rooms = new Set([...this.#wrongSince.keys(), ...view.rooms.keys()]);
    for (const counts of truth.values()) for (const room in counts) rooms.add(room);
    const comparable = isComparable(view, truth);
    for (const room of rooms) {
      const isWrong = comparable && sumOf(truth, room) !== (view.rooms.get(room) ?? 0);
      if (!isWrong) this.#wrongSince.delete(room);
      else if (!this.#wrongSince.has(room)) this.#wrongSince.set(room, nowMs);
    }
    const doubted = [...this.#wrongSince].filter(([, since]) => nowMs - since > this.#afterMs);
    return new Set(doubted.map(([room]) => room));
  }
}

/** Between two leaders instances show the last numbers. */
export const isBetweenLeaders = ({ reason }: ServiceView) =>
  reason === 'leader_lost' || reason === 'no_leader';

/**
 * Compares only while the service claims to know: a killed or suspended server is first stale, and its
 * counts disappear when it becomes unreachable.
 */
function isComparable(view: ServiceView, truth: Truth): boolean {
  return (
    view.isConnected &&
    !isBetweenLeaders(view) &&
    [...truth].every(([id, rooms]) => rooms && view.servers.get(id)?.state === 'live') &&
    [...view.servers.values()].every(({ id, state }) => truth.has(id) || state === 'unreachable')
  );
}
