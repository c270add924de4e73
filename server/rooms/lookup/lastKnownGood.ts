import { BoundedMap } from '../../boundedMap.js';

/** A value and its age. */
export interface Fresh<Value> {
  value: Value;
  /** In whole seconds; 0: just read. */
  ageSeconds: number;
  /** True if reading a newer value failed. */
  isStale: boolean;
}

interface Kept {
  value: unknown;
  at: number;
}

/** Returns the last value when reading fails, so that a store that is down makes answers old but not wrong. */
export class LastKnownGood {
  readonly #kept: BoundedMap<string, Kept>;

  /** `maxKept`: values that are kept, those read last. */
  constructor(maxKept = 256) {
    this.#kept = new BoundedMap(maxKept);
  }

  /** Reads a value; on failure returns the last value of this key. Rejects as `read` did if there is none. */
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
