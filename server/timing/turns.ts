import { HostQueue } from './hostQueue.js';

/** Does a piece of some work until a time of `performance.now()`; the result when that was all of it. */
export type Piece<T> = (untilMs: number) => T | undefined;

/** Whose work it is. */
export interface Owner {
  host: string;
  /** Whether the host's server is known to be one of the fleet, and does not only say so. */
  isProven: boolean;
  signal: AbortSignal;
}

interface Waiting {
  /** Does a piece; true: there is more to do. */
  run: (untilMs: number) => boolean;
  signal: AbortSignal;
}

const pieceMs = { proven: 4, unproven: 2 };
/** For so many times as long as work of unproven servers took, none of it is done. */
const unprovenRest = 3;

/**
 * Does work that would hold up the event loop in pieces, one in each turn of it. Hosts take turns, and
 * servers that are not proven have a quarter of the time, all of them together.
 */
export class Turns {
  readonly #proven = new HostQueue<Waiting>();
  readonly #unproven = new HostQueue<Waiting>();
  #turn: NodeJS.Immediate | undefined;
  #rest: NodeJS.Timeout | undefined;

  /** Resolves with what the last piece came to; rejects with what one throws, and when it is aborted. */
  do<T>(piece: Piece<T>, { host, isProven, signal }: Owner): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(new Error('stopped'));
      signal.addEventListener('abort', abort);
      const run = (untilMs: number) => {
        try {
          const result = piece(untilMs);
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

  /** What waits is never done. */
  close(): void {
    clearImmediate(this.#turn);
    clearTimeout(this.#rest);
  }

  #next(): void {
    if (this.#proven.isEmpty && (this.#unproven.isEmpty || this.#rest)) return;
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#take();
      this.#next();
    });
  }

  #take(): void {
    if (!this.#proven.isEmpty) this.#doPiece(this.#proven, pieceMs.proven);
    else if (!this.#rest) this.#restFor(this.#doPiece(this.#unproven, pieceMs.unproven));
  }

  /** How long it took, in milliseconds. */
  #doPiece(queue: HostQueue<Waiting>, ms: number): number {
    const next = queue.take();
    if (!next) return 0;
    const { host, item } = next;
    const beganAtMs = performance.now();
    if (item.run(beganAtMs + ms)) queue.put(host, item);
    return performance.now() - beganAtMs;
  }

  #restFor(tookMs: number): void {
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      this.#next();
    }, unprovenRest * tookMs);
  }
}
