/** A queue for what holds up the event loop for a moment: one thing in each of its turns. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves in a turn of its own, after those who asked before. */
  next(): Promise<void> {
    this.#last = this.#last.then(() => new Promise((resolve) => setImmediate(resolve)));
    return this.#last;
  }
}
