import type { ClockRange } from '../documents/clockRanges.js';
import type { Divergence } from '../documents/divergence.js';

/** What a server missed when it was first seen to miss something, and when that was. */
interface Suspicion {
  missed: Divergence;
  sinceMs: number;
}

/** How long a server must have missed the same before that counts: updates take a while to get round. */
const settleMs = 2000;

/**
 * Tells servers that hold different documents from servers that were asked in the middle of an edit: only
 * when one still misses what it missed a while ago does it count, however much is edited meanwhile.
 */
export class DivergenceWatch {
  readonly #now: () => number;
  readonly #suspicions = new Map<string, Suspicion>();
  #flagged: readonly Divergence[] = [];

  /** `now`: milliseconds of any clock that only grows. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes the comparison of a round; answers whether what is flagged changed. */
  noteRound(divergence: readonly Divergence[]): boolean {
    const before = JSON.stringify(this.#flagged);
    const missing = new Map(divergence.map((each) => [each.server, each]));
    for (const server of this.#suspicions.keys())
      if (!missing.has(server)) this.#suspicions.delete(server);
    this.#flagged = divergence.filter((each) => this.#isSettled(each));
    return JSON.stringify(this.#flagged) !== before;
  }

  /** Which server misses what; empty: they agree, or it is not certain that they do not. */
  get flagged(): readonly Divergence[] {
    return this.#flagged;
  }

  #isSettled(missed: Divergence): boolean {
    const suspicion = this.#suspicions.get(missed.server);
    if (suspicion && missesSame(suspicion.missed, missed))
      return this.#now() - suspicion.sinceMs >= settleMs;
    this.#suspicions.set(missed.server, { missed, sinceMs: this.#now() });
    return false;
  }
}

function missesSame(before: Divergence, now: Divergence): boolean {
  return overlap(before.structs, now.structs) || overlap(before.deletions, now.deletions);
}

function overlap(some: readonly ClockRange[], others: readonly ClockRange[]): boolean {
  return some.some(({ client, from, to }) =>
    others.some((other) => other.client === client && other.from < to && from < other.to),
  );
}
