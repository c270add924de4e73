import { type Clock, systemClock, type Timer } from './clock.js';

/**
 * Conflates calls: the first one runs the flush in this turn of the event loop, later ones at most once per
 * interval. Flushes do not overlap.
 */
export class Pace {
  readonly #flush: () => void | Promise<void>;
  readonly #intervalMs: () => number;
  readonly #clock: Clock;
  #last = Number.NEGATIVE_INFINITY;
  #timer: Timer;
  #isFlushing = false;
  /** Whether `touch` was called during a flush. */
  #isTouched = false;

  constructor(
    flush: () => void | Promise<void>,
    intervalMs: () => number,
    clock: Clock = systemClock,
  ) {
    this.#flush = flush;
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  /** Schedules a flush. It runs after this turn's other changes, so it includes them. */
  touch(): void {
    this.#isTouched = this.#isFlushing;
    if (this.#isFlushing || this.#timer !== undefined) return;
    const wait = this.#last + this.#intervalMs() - this.#clock.monotonicMs();
    this.#timer = this.#clock.setTimeout(() => this.#run(), wait);
  }

  close(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isTouched = false;
  }

  #run(): void {
    this.close();
    const flushed = this.#flush();
    this.#last = this.#clock.monotonicMs();
    if (!flushed) return;
    this.#isFlushing = true;
    flushed.then(
      () => this.#end(),
      () => this.#end(),
    );
  }

  #end(): void {
    this.#isFlushing = false;
    this.#last = this.#clock.monotonicMs();
    if (this.#isTouched) this.touch();
  }
}
