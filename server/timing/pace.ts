/**
 * Conflates calls: the first one runs the flush in this turn of the event loop, later ones at most once per
 * interval. Flushes do not overlap.
 */
export class Pace {
  readonly #flush: () => void | Promise<void>;
  readonly #intervalMs: () => number;
  #last = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #isFlushing = false;
  /** Whether `touch` was called during a flush. */
  #isTouched = false;

  constructor(flush: () => void | Promise<void>, intervalMs: () => number) {
    this.#flush = flush;
    this.#intervalMs = intervalMs;
  }

  /** Schedules a flush. It runs after this turn's other changes, so it includes them. */
  touch(): void {
    this.#isTouched = this.#isFlushing;
    if (this.#isFlushing || this.#timer || this.#immediate) return;
    const wait = this.#last + this.#intervalMs() - performance.now();
    if (wait > 0) this.#timer = setTimeout(() => this.#run(), wait);
    else this.#immediate = setImmediate(() => this.#run());
  }

  close(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
    this.#isTouched = false;
  }

  #run(): void {
    this.close();
    const flushed = this.#flush();
    this.#last = performance.now();
    if (!flushed) return;
    this.#isFlushing = true;
    flushed.then(
      () => this.#end(),
      () => this.#end(),
    );
  }

  #end(): void {
    this.#isFlushing = false;
    this.#last = performance.now();
    if (this.#isTouched) this.touch();
  }
}
