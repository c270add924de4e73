import { BoundedMap } from '../../boundedMap.js';

/** A value, and how fresh it is. */
export interface Fresh<Value> {
  value: Value;
  /** Age in whole seconds; 0: read just now. */
  ageSeconds: number;
  /** Whether a newer one could not be read. */
  isStale: boolean;
}

interface Kept {
  value: unknown;
  at: number;
}

/**
 * Answers what was read last when reading fails: a store that is down makes answers old, not wrong.
 * Keeps a bounded number of answers, those used last.
 */
export class LastKnownGood {
  readonly #kept: BoundedMap<string, Kept>;

  constructor(maxKept = 256) {
    this.#kept = new BoundedMap(maxKept);
  }

  /** Reads; on failure answers the last value for this key. Rejects as `read` did when there is none. */
  async read<Value>(key: string, read: () => Promise<Value>): Promise<Fresh<Value>> {
    try {
      const value = await read();
      this.#kept.set(key, { value, at: performance.now() });
      return { value, ageSeconds: 0, isStale: false };
    } catch (error) {
      const kept = this.#kept.get(key);
      if (!kept) throw error;
      const ageSeconds = Math.floor((performance.now() - kept.at) / 1000);
      return { value: kept.value as Value, ageSeconds, isStale: true };
    }
  }
}
