import { StoreError } from '../../store/store.js';

/** Pages read at a time: one of a filter that finds nothing is a thousand items, which are read in one go. */
const maxAtOnce = 2;
const maxWaiting = 100;
/** As long as one question to the store may take. */
const patienceMs = 3000;

interface Waiting {
  begin: () => void;
  giveUp: NodeJS.Timeout | undefined;
}

/** Reads few pages of the store at a time, each only once for all who ask for it; the rest wait, or are refused. */
export class PageReads {
  readonly #reading = new Map<string | symbol, Promise<unknown>>();
  readonly #waiting: Waiting[] = [];
  #atOnce = 0;

  /**
   * Rejects as `read` does, and with `StoreError` when too many wait, or for too long; not if it
   * `isPatient`, for what cannot be refused any longer.
   */
  read<Page>(
    key: string | symbol,
    read: () => Promise<Page>,
    { isPatient = false } = {},
  ): Promise<Page> {
    const known = this.#reading.get(key);
    if (known) return known as Promise<Page>;
    const reading = this.#begin(read, isPatient).finally(() => this.#reading.delete(key));
    this.#reading.set(key, reading);
    return reading;
  }

  async #begin<Page>(read: () => Promise<Page>, isPatient: boolean): Promise<Page> {
    if (this.#atOnce >= maxAtOnce) await this.#place(isPatient);
    else this.#atOnce += 1;
    try {
      return await read();
    } finally {
      // Not in the same turn: what else there is to do comes between two pages.
      setImmediate(() => this.#passOn());
    }
  }

  /** Resolves when a place has been passed on to this one. */
  #place(isPatient: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = () => reject(new StoreError('too many lists are asked for at a time'));
      if (isPatient) {
        this.#waiting.push({ begin: resolve, giveUp: undefined });
        return;
      }
      if (this.#waiting.length >= maxWaiting) return refuse();
      const giveUp = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        refuse();
      }, patienceMs);
      const waiting = { begin: resolve, giveUp };
      this.#waiting.push(waiting);
    });
  }

  #passOn(): void {
    const next = this.#waiting.shift();
    if (!next) {
      this.#atOnce -= 1;
      return;
    }
    clearTimeout(next.giveUp);
    next.begin();
  }
}
