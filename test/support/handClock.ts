import type { Clock } from '../../server/timing/clock.js';
import { HeapClock } from '../unit/machines/heapClock.js';

/** A clock that stands still until it is advanced. Several may share the same time: see `beside`. */
export class HandClock implements Clock {
  readonly #time: HeapClock;
  /** Added to the wall clock: somebody sets it, or it went on while the machine slept. */
  wallOffsetMs = Date.UTC(2026, 0, 1);
  /** Added to the monotonic clock: negative after it stood still. */
  monotonicOffsetMs = 0;

  constructor(time = new HeapClock()) {
    this.#time = time;
  }

  monotonicMs(): number {
    return this.#time.nowMs + this.monotonicOffsetMs;
  }

  wallMs(): number {
    return this.#time.nowMs + this.wallOffsetMs;
  }

  setTimeout(fire: () => void, ms: number): number {
    return this.#time.setTimeout(fire, ms);
  }

  clearTimeout(timer: unknown): void {
    this.#time.clearTimeout(timer as number | undefined);
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#time.pending;
  }

  /** Lets time pass for all clocks that share it, and timers fire one by one. */
  advance(ms: number): void {
    this.#time.advance(ms);
  }

  /** The clock of another machine: the same time, with offsets of its own. */
  beside(): HandClock {
    return new HandClock(this.#time);
  }
}
