import type { ClockRange, Divergence, MissingRanges } from '../../wire/divergence.js';

/** What a server lacks, or has otherwise than others. */
type Found = MissingRanges & {
  readonly server: string;
  readonly conflicts?: readonly ClockRange[];
};

/** What was found of a server when something was first found of it, and when that was. */
interface Suspicion {
  found: Found;
  sinceMs: number;
}

/** How long a server must have lacked the same before that counts: updates take a while to get round. */
const settleMs = 2000;

/**
 * Tells servers that hold different documents from servers that were asked in the middle of an edit: only
 * when one still misses what it missed a while ago does it count, however much is edited meanwhile.
 */
export class DivergenceWatch<Each extends Found = Divergence> {
  readonly #now: () => number;
  readonly #suspicions = new Map<string, Suspicion>();
  #flagged: readonly Each[] = [];

  /** `now`: milliseconds of any clock that only grows. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes the comparison of a round; answers whether what is flagged changed. */
  noteRound(found: readonly Each[]): boolean {
    const before = JSON.stringify(this.#flagged);
    const servers = new Set(found.map(({ server }) => server));
    for (const server of this.#suspicions.keys())
      if (!servers.has(server)) this.#suspicions.delete(server);
    this.#flagged = found.filter((each) => this.#isSettled(each));
    return JSON.stringify(this.#flagged) !== before;
  }

  /** Which server lacks what; empty: none does, or it is not certain. */
  get flagged(): readonly Each[] {
    return this.#flagged;
  }

  #isSettled(found: Each): boolean {
    const suspicion = this.#suspicions.get(found.server);
    if (suspicion && isSame(suspicion.found, found))
      return this.#now() - suspicion.sinceMs >= settleMs;
    this.#suspicions.set(found.server, { found, sinceMs: this.#now() });
    return false;
  }
}

function isSame(before: Found, now: Found): boolean {
  return (
    overlap(before.structs, now.structs) ||
    overlap(before.deletions, now.deletions) ||
    overlap(before.conflicts ?? [], now.conflicts ?? [])
  );
}

function overlap(some: readonly ClockRange[], others: readonly ClockRange[]): boolean {
  return some.some(({ client, from, to }) =>
    others.some((other) => other.client === client && other.from < to && from < other.to),
  );
}
