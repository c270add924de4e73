interface Timer {
  readonly ms: number;
  readonly fire: () => void;
}

/** A clock whose timers fire when a test says so, in whatever order. */
export class HandClock {
  readonly #timers = new Map<number, Timer>();
  #last = 0;

  readonly setTimeout = (fire: () => void, ms: number): number => {
    this.#last += 1;
    this.#timers.set(this.#last, { ms, fire });
    return this.#last;
  };

  readonly clearTimeout = (timer: number): void => {
    this.#timers.delete(timer);
  };

  /** Fires the oldest timer of so many milliseconds. */
  fire(ms: number): void {
    const oldest = this.#oldest(ms);
    if (!oldest) {
      const waiting = [...this.#timers.values()].map((timer) => timer.ms);
      throw new Error(`no timer of ${ms} ms is set, but ${waiting.join(', ') || 'none'}`);
    }
    const [id, { fire }] = oldest;
    this.#timers.delete(id);
    fire();
  }

  isSet(ms: number): boolean {
    return this.#oldest(ms) !== undefined;
  }

  #oldest(ms: number): [number, Timer] | undefined {
    return [...this.#timers].find(([, timer]) => Math.abs(timer.ms - ms) <= 0.001);
  }
}
