/** The limits of a second. */
export interface Allowance {
  updates: number;
  bytes: number;
}

/** Rate limit of updates and bytes for a second. Its owner calls `reset` every second. */
export class PerSecond {
  readonly #max: Allowance;
  #updates = 0;
  #bytes = 0;

  constructor(max: Allowance) {
    this.#max = max;
  }

  /** Whether an update of this size is within the limits, or within a part of them. */
  allows(bytes: number, part = 1): boolean {
    const { updates: maxUpdates, bytes: maxBytes } = this.#max;
    return this.#updates < maxUpdates * part && this.#bytes + bytes <= maxBytes * part;
  }

  use(bytes: number): void {
    this.#updates += 1;
    this.#bytes += bytes;
  }

  /** Starts the next second. */
  reset(): void {
    this.#updates = 0;
    this.#bytes = 0;
  }
}
