import { StoreError } from '../../store/store.js';

/** Pages read at the same time. A page with a filter may read a thousand items in one go. */
const maxAtOnce = 2;
const maxWaiting = 100;
/** The time limit of one request to the store. */
const maxWaitMs = 3000;

interface Waiting {
  begin: () => void;
  /** Rejects when the time is over; undefined: it waits without a limit. */
  timeout: NodeJS.Timeout | undefined;
}

/** Limits how many pages of the store are read at the same time. Concurrent reads of one page share its result. */
export class PageReads {
  readonly #reading = new Map<string | symbol, Promise<unknown>>();
  readonly #waiting: Waiting[] = [];
  #atOnce = 0;

  /**
   * Rejects as `read` does, and with `StoreError` if too many reads wait or one waits too long. With `waitsForever`
   * it is never refused.
   */
  read<Page>(
    key: string | symbol,
    read: () => Promise<Page>,
    { waitsForever = false } = {},
  ): Promise<Page> {
    const known = this.#reading.get(key);
    if (known) return known as Promise<Page>;
    const reading = this.#begin(read, waitsForever).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #begin<Page>(read: () => Promise<Page>, waitsForever: boolean): Promise<Page> {
    if (this.#atOnce >= maxAtOnce) await this.#turn(waitsForever);
    else this.#atOnce += 1;
    try {
      return await read();
    } finally {
      // In the next turn, to let other work run between two pages.
      setImmediate(() => this.#beginNext());
    }
  }

  /** Resolves when it is this read's turn. */
  #turn(waitsForever: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = () => reject(new StoreError('too many room lists are requested at once'));
      if (waitsForever) {
        this.#waiting.push({ begin: resolve, timeout: undefined });
        return;
      }
      if (this.#waiting.length >= maxWaiting) return refuse();
      const timeout = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        refuse();
      }, maxWaitMs);
      const waiting = { begin: resolve, timeout };
      this.#waiting.push(waiting);
    });
  }

  #beginNext(): void {
    const next = this.#waiting.shift();
    if (!next) {
      this.#atOnce -= 1;
      return;
    }
    clearTimeout(next.timeout);
    next.begin();
  }
}
