/** Exponential backoff: an interval that doubles while an event recurs, and resets when it stops. */
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

  /** How long to wait after the last event. */
  get ms(): number {
    return this.#ms;
  }

  /** Notes an event, at a time of `performance.now()`. */
  note(nowMs: number): void {
    const isRecurring = nowMs - this.#lastMs < 2 * this.#ms;
    this.#ms = isRecurring ? Math.min(2 * this.#ms, this.#maxMs) : this.#firstMs;
    this.#lastMs = nowMs;
  }
}
