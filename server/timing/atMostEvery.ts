import { BoundedMap } from '../boundedMap.js';

/** Allows each key once in an interval. Remembers a limited number of keys, the newest. */
export class AtMostEvery {
  readonly #intervalMs: number;
  readonly #last: BoundedMap<string, number>;

  constructor(intervalMs: number, maxKeys = 4096) {
    this.#intervalMs = intervalMs;
    this.#last = new BoundedMap(maxKeys);
  }

  allows(key: string): boolean {
    const now = performance.now();
    const last = this.#last.get(key);
    if (last !== undefined && now - last < this.#intervalMs) return false;
    this.#last.set(key, now);
    return true;
  }
}
