import { type Clock, systemClock } from './clock.js';
import type { PauseWatch } from './pauseWatch.js';

/** A timer, and the timer of the real clock that stands behind it. */
interface AwakeTimer {
  readonly dueMs: number;
  readonly fire: () => void;
  inner: unknown;
}

/** Timers may fire somewhat early. */
const toleranceMs = 2;

/**
 * Timers that count only the time in which this process ran. After a pause they do not all fire at once: whoever had
 * 10 s to answer before it still has 10 s after it.
 */
export class AwakeClock {
  readonly #watch: Pick<PauseWatch, 'awakeMs'>;
  readonly #clock: Clock;

  constructor(watch: Pick<PauseWatch, 'awakeMs'>, clock: Clock = systemClock) {
    this.#watch = watch;
    this.#clock = clock;
  }

  readonly setTimeout = (fire: () => void, ms: number): AwakeTimer => {
    const timer = { dueMs: this.#watch.awakeMs() + ms, fire, inner: undefined };
    this.#arm(timer, ms);
    return timer;
  };

  readonly clearTimeout = (timer: AwakeTimer | undefined): void => {
    this.#clock.clearTimeout(timer?.inner);
  };

  #arm(timer: AwakeTimer, ms: number): void {
    timer.inner = this.#clock.setTimeout(() => {
      const leftMs = timer.dueMs - this.#watch.awakeMs();
      if (leftMs > toleranceMs) this.#arm(timer, leftMs);
      else timer.fire();
    }, ms);
  }
}
