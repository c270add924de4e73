type Task = () => Promise<void>;

/** Runs a limited number of tasks at a time, and queues a limited number of others. */
export class Lane {
  readonly #width: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #onIdle: (() => void)[] = [];
  #running = 0;

  constructor({ width, maxWaiting }: { width: number; maxWaiting: number }) {
    this.#width = width;
    this.#maxWaiting = maxWaiting;
  }

  /** Rejects if the task does, or immediately if too many tasks wait. */
  run(task: Task): Promise<void> {
    if (this.#running < this.#width) return this.#begin(task);
    if (this.#waiting.length >= this.#maxWaiting)
      return Promise.reject(new Error('too many tasks are waiting'));
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.#begin(task))));
  }

  /** Resolves when no task runs or waits. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #begin(task: Task): Promise<void> {
    this.#running += 1;
    return task().finally(() => this.#end());
  }

  #end(): void {
    this.#running -= 1;
    this.#waiting.shift()?.();
    if (this.#running > 0) return;
    for (const resolve of this.#onIdle) resolve();
    this.#onIdle = [];
  }
}
