/** What may be done in a second. */
export interface Allowance {
  updates: number;
  bytes: number;
}

/** How much of an allowance was used since the second began; its owner says when that is. */
export class PerSecond {
  readonly #max: Allowance;
  #updates = 0;
  #bytes = 0;

  constructor(max: Allowance) {
    this.#max = max;
  }

  /** Whether an update of so many bytes is within the allowance, or within a part of it. */
  allows(bytes: number, part = 1): boolean {
    const { updates: maxUpdates, bytes: maxBytes } = this.#max;
    return this.#updates < maxUpdates * part && this.#bytes + bytes <= maxBytes * part;
  }

  use(bytes: number): void {
    this.#updates += 1;
    this.#bytes += bytes;
  }

  /** The next second begins. */
  reset(): void {
    this.#updates = 0;
    this.#bytes = 0;
  }
}
