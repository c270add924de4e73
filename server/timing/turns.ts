import { HostQueue } from './hostQueue.js';

/** Works until a time of `performance.now()`. Returns the result when the work is done, else undefined. */
export type Slice<T> = (untilMs: number) => T | undefined;

/** The server that work is done for. */
export interface Owner {
  host: string;
  /** False for a candidate: it only claims to be a pub-sub server. */
  isProven: boolean;
  signal: AbortSignal;
}

interface Waiting {
  /** Runs a slice; true: there is more to do. */
  run: (untilMs: number) => boolean;
  signal: AbortSignal;
}

const sliceMs = { proven: 4, unproven: 2 };
/** After a slice for an unproven server, no other starts for this many times its duration. */
const unprovenPause = 3;

/**
 * Runs long work in slices, one in each turn of the event loop, so it blocks nothing else. Hosts take turns.
 * Servers that are not proven share a quarter of the time.
 */
export class Turns {
  readonly #proven = new HostQueue<Waiting>();
  readonly #unproven = new HostQueue<Waiting>();
  #turn: NodeJS.Immediate | undefined;
  #pause: NodeJS.Timeout | undefined;

  /** Resolves with the result of the last slice. Rejects if a slice throws, or on abort. */
  do<T>(slice: Slice<T>, { host, isProven, signal }: Owner): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(new Error('stopped'));
      signal.addEventListener('abort', abort);
      const run = (untilMs: number) => {
        try {
          const result = slice(untilMs);
          if (result === undefined) return true;
          resolve(result);
        } catch (error) {
          reject(error);
        }
        signal.removeEventListener('abort', abort);
        return false;
      };
      (isProven ? this.#proven : this.#unproven).put(host, { run, signal });
      this.#next();
    });
  }

  /** Drops waiting work: its promises never settle. */
  close(): void {
    clearImmediate(this.#turn);
    clearTimeout(this.#pause);
  }

  #next(): void {
    if (this.#proven.isEmpty && (this.#unproven.isEmpty || this.#pause)) return;
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#runNext();
      this.#next();
    });
  }

  #runNext(): void {
    if (!this.#proven.isEmpty) this.#runSlice(this.#proven, sliceMs.proven);
    else if (!this.#pause) this.#pauseFor(this.#runSlice(this.#unproven, sliceMs.unproven));
  }

  /** Runs one slice; returns its duration in ms. */
  #runSlice(queue: HostQueue<Waiting>, ms: number): number {
    const next = queue.take();
    if (!next) return 0;
    const { host, item } = next;
    const beganAtMs = performance.now();
    if (item.run(beganAtMs + ms)) queue.put(host, item);
    return performance.now() - beganAtMs;
  }

  #pauseFor(tookMs: number): void {
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#next();
    }, unprovenPause * tookMs);
  }
}
