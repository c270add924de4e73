/** Lets each key through once in an interval; remembers a bounded number of keys, the newest. */
export class AtMostEvery {
  readonly #intervalMs: number;
  readonly #maxKeys: number;
  readonly #last = new Map<string, number>();

  constructor(intervalMs: number, maxKeys = 4096) {
    this.#intervalMs = intervalMs;
    this.#maxKeys = maxKeys;
  }

  allows(key: string): boolean {
    const now = performance.now();
    const last = this.#last.get(key);
    if (last !== undefined && now - last < this.#intervalMs) return false;
    this.#last.delete(key);
    this.#last.set(key, now);
    const oldest = this.#last.keys().next();
    if (this.#last.size > this.#maxKeys && !oldest.done) this.#last.delete(oldest.value);
    return true;
  }
}
