import { BoundedMap } from '../boundedMap.js';
import { DocumentError } from './documentErrors.js';

interface Refused {
  readonly strikes: number;
  readonly untilMs: number;
  readonly error: DocumentError;
}

// The oldest are forgotten: that room then ends a thread once more.
const maxRefused = 1_000;

/**
 * Rooms whose documents ended the thread: they are refused by name for a minute, and for twice as long each time
 * that it recurs, up to an hour. Whoever opens such a room again is refused, too.
 */
export class RoomRefusals {
  readonly #refused = new BoundedMap<string, Refused>(maxRefused);
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #now: () => number;

  /** `now`: milliseconds of a clock that only grows. */
  constructor({ firstMs = 60_000, mostMs = 3_600_000, now = () => performance.now() } = {}) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#now = now;
  }

  /** A room ended the thread. */
  note(room: string): void {
    const strikes = (this.#known(room)?.strikes ?? 0) + 1;
    const ms = Math.min(this.#firstMs * 2 ** (strikes - 1), this.#mostMs);
    const until = new Date(Date.now() + ms).toISOString();
    const message = `this room took too much time or memory; it is read again from ${until} on`;
    const error = new DocumentError('too_heavy', message);
    this.#refused.set(room, { strikes, untilMs: this.#now() + ms, error });
  }

  /** Why a room is refused now; undefined: it is not. */
  of(room: string): DocumentError | undefined {
    const known = this.#known(room);
    return known && this.#now() < known.untilMs ? known.error : undefined;
  }

  #known(room: string): Refused | undefined {
    const known = this.#refused.get(room);
    if (known && this.#now() < known.untilMs + this.#mostMs) return known;
    this.#refused.delete(room);
    return undefined;
  }
}
