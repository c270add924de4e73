/** An interval that doubles while what it paces recurs, and begins anew when that has ceased. */
export class GrowingInterval {
  readonly #firstMs: number;
  readonly #maxMs: number;
  #ms: number;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(firstMs: number, maxMs: number) {
    this.#firstMs = firstMs;
    this.#maxMs = Math.max(firstMs, maxMs);
    this.#ms = firstMs;
  }

  /** How long to wait after the last time. */
  get ms(): number {
    return this.#ms;
  }

  /** It happened once more, at a time of `performance.now()`. */
  note(nowMs: number): void {
    const isRecurring = nowMs - this.#lastMs < 2 * this.#ms;
    this.#ms = isRecurring ? Math.min(2 * this.#ms, this.#maxMs) : this.#firstMs;
    this.#lastMs = nowMs;
  }
}
