import type { Clock, Timer } from '../../timing/clock.js';

/** Works until a time of `performance.now()`; true: all is done. */
export type Step = (untilMs: number) => boolean;

/** What sliced work needs, and whom it tells. */
export interface SlicedWorkNeeds {
  clock: Clock;
  /** Work that took several slices is done. */
  onIdle: () => void;
  /** A later slice threw. The first one throws at its caller. */
  onError: (error: unknown) => void;
}

/** Longest time of work in one turn of the event loop. */
const sliceMs = 8;
/** Pause between two slices: other requests come first. */
const pauseMs = 4;

/** Does one work at a time in slices. The first slice is done at once, so small work is synchronous. */
export class SlicedWork {
  readonly #needs: SlicedWorkNeeds;
  #timer: Timer;

  constructor(needs: SlicedWorkNeeds) {
    this.#needs = needs;
  }

  get isBusy(): boolean {
    return this.#timer !== undefined;
  }

  /** Call it only if it is not busy. */
  do(step: Step, onDone: () => void): void {
    if (step(performance.now() + sliceMs)) onDone();
    else this.#timer = this.#needs.clock.setTimeout(() => this.#goOn(step, onDone), pauseMs);
  }

  /** Drops the work that is being done. */
  cancel(): void {
    this.#needs.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #goOn(step: Step, onDone: () => void): void {
    this.#timer = undefined;
    try {
      this.do(step, onDone);
      if (!this.isBusy) this.#needs.onIdle();
    } catch (error) {
      this.#needs.onError(error);
    }
  }
}

/** A step that handles items until the time is over, some between two looks at the clock. */
export function eachOf<T>(items: Iterable<T>, handle: (item: T) => void): Step {
  const left = items[Symbol.iterator]();
  return (untilMs) => {
    do {
      for (let i = 0; i < 256; i += 1) {
        const { done, value } = left.next();
        if (done) return true;
        handle(value);
      }
    } while (performance.now() < untilMs);
    return false;
  };
}
