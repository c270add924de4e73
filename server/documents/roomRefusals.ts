import { BoundedMap } from '../boundedMap.js';
import { DocumentError } from './documentErrors.js';

interface Refused {
  /** How often the room ended a thread. */
  readonly strikes: number;
  readonly untilMs: number;
  readonly error: DocumentError;
}

/** The oldest rooms are forgotten above this number, and may end a thread once more. */
const maxRefused = 1_000;

/**
 * Refuses rooms whose documents ended the thread: for a minute, and twice as long each further time, up to an hour.
 * A room is refused by name, so opening it again does not help.
 */
export class RoomRefusals {
  readonly #refused = new BoundedMap<string, Refused>(maxRefused);
  readonly #firstMs: number;
  readonly #mostMs: number;
  readonly #now: () => number;

  /** `now`: milliseconds of a monotonic clock. */
  constructor({ firstMs = 60_000, mostMs = 3_600_000, now = () => performance.now() } = {}) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#now = now;
  }

  /** Refuses a room that ended the thread. */
  add(room: string): void {
    const strikes = (this.#known(room)?.strikes ?? 0) + 1;
    const ms = Math.min(this.#firstMs * 2 ** (strikes - 1), this.#mostMs);
    const until = new Date(Date.now() + ms).toISOString();
    const message = `this room took too much time or memory; it is read again from ${until} on`;
    const error = new DocumentError('too_heavy', message);
    this.#refused.set(room, { strikes, untilMs: this.#now() + ms, error });
  }

  /** Why a room is refused now; undefined: it is accepted. */
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
