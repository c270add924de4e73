/** Runs a flush soon after it is first asked for, and then no oftener than its interval: conflation. */
export class Pace {
  readonly #flush: () => void;
  readonly #intervalMs: () => number;
  #last = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(flush: () => void, intervalMs: () => number) {
    this.#flush = flush;
    this.#intervalMs = intervalMs;
  }

  /** There is something to flush. Whatever else changes in this turn of the event loop goes with it. */
  touch(): void {
    if (this.#timer || this.#immediate) return;
    const wait = this.#last + this.#intervalMs() - performance.now();
    if (wait > 0) this.#timer = setTimeout(() => this.#run(), wait);
    else this.#immediate = setImmediate(() => this.#run());
  }

  close(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  #run(): void {
    this.close();
    this.#flush();
    this.#last = performance.now();
  }
}
