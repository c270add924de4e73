/** What one request holds of a budget. */
export interface Held {
  /** Takes so many bytes more; false: there is no place for them. */
  take: (bytes: number) => boolean;
  /** Gives back all that was taken. */
  release: () => void;
}

/** Bounds the bytes that are in memory at a time, for each of those who share a budget. */
export class ByteBudget {
  readonly #taken = new Map<string, number>();

  /** `name`: who shares the budget of `maxBytes`. */
  open(name: string, maxBytes: number): Held {
    let held = 0;
    return {
      take: (bytes) => {
        const taken = (this.#taken.get(name) ?? 0) + bytes;
        if (taken > maxBytes) return false;
        this.#taken.set(name, taken);
        held += bytes;
        return true;
      },
      release: () => {
        const left = (this.#taken.get(name) ?? 0) - held;
        if (left > 0) this.#taken.set(name, left);
        else this.#taken.delete(name);
        held = 0;
      },
    };
  }
}
