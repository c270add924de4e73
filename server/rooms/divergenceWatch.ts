import type { Divergence } from '../documents/divergence.js';

/** Rounds in a row, with no update between, in which servers differ before that counts. */
const roundsUntilFlagged = 2;

/**
 * Tells servers that hold different documents from servers that were asked in the middle of an edit:
 * only when they still differ a round later, and nothing was changed meanwhile, does it count.
 */
export class DivergenceWatch {
  #differing = 0;
  #flagged: readonly Divergence[] = [];

  /** An update came: what differs now may be on its way. */
  noteUpdate(): void {
    this.#differing = 0;
  }

  /** Takes the comparison of a round; answers whether what is flagged changed. */
  noteRound(divergence: readonly Divergence[]): boolean {
    const before = JSON.stringify(this.#flagged);
    this.#differing = divergence.length > 0 ? this.#differing + 1 : 0;
    if (divergence.length === 0) this.#flagged = [];
    else if (this.#differing >= roundsUntilFlagged) this.#flagged = divergence;
    return JSON.stringify(this.#flagged) !== before;
  }

  /** Which server misses what; empty: they agree, or it is not certain that they do not. */
  get flagged(): readonly Divergence[] {
    return this.#flagged;
  }
}
