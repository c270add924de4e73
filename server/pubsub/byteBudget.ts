/** The bytes that one request holds of a budget. */
export interface Reservation {
  /** Reserves more bytes; false: the budget is exhausted. */
  take: (bytes: number) => boolean;
  /** Gives back all reserved bytes. */
  release: () => void;
}

/** Limits the bytes in memory at a time, with one budget for each name. */
export class ByteBudget {
  readonly #taken = new Map<string, number>();

  /** Opens a reservation in the budget of that name, of `maxBytes`. */
  open(name: string, maxBytes: number): Reservation {
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
