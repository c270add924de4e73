interface Waiting {
  start: () => void;
  signal: AbortSignal;
}

/**
 * Starts tasks in order, a few young ones at a time and one in a turn of the event loop: to start a
 * request takes about a millisecond. A task that lasts gives its place back after `youngMs`, so that
 * hung servers hold up nobody.
 */
export class RequestPacer {
  readonly #youngAtOnce: number;
  readonly #youngMs: number;
  #young = 0;
  #waiting: Waiting[] = [];
  #turn: NodeJS.Immediate | undefined;

  constructor({ youngAtOnce = 16, youngMs = 250 } = {}) {
    this.#youngAtOnce = youngAtOnce;
    this.#youngMs = youngMs;
  }

  /** Runs the task when a place is free; an aborted one that has not started never does. */
  run(task: () => Promise<unknown>, signal: AbortSignal): void {
    this.#waiting.push({ start: () => this.#start(task), signal });
    this.#next();
  }

  #next(): void {
    if (this.#turn || this.#waiting.length === 0 || this.#young >= this.#youngAtOnce) return;
    this.#turn = setImmediate(() => {
      this.#turn = undefined;
      const next = this.#waiting.shift();
      if (next && !next.signal.aborted) next.start();
      this.#next();
    });
  }

  #start(task: () => Promise<unknown>): void {
    this.#young += 1;
    let isYoung = true;
    const age = () => {
      if (!isYoung) return;
      isYoung = false;
      clearTimeout(timer);
      this.#young -= 1;
      this.#next();
    };
    const timer = setTimeout(age, this.#youngMs);
    task().finally(age);
  }
}
