import type { ServerId } from '../../machines/ports.js';

/** By how much clocks differ that only tick differently. */
const driftMs = 1000;

interface Heard {
  /** By the clock of then: milliseconds since 1970. */
  at: number;
  /** performance.now, which nobody sets. */
  monotonicMs: number;
}

/** When each server was last heard of. A clock that is put back puts none of it into times to come. */
export class HeardTimes {
  readonly #heard = new Map<ServerId, Heard>();

  note(server: ServerId): void {
    this.#heard.set(server, { at: Date.now(), monotonicMs: performance.now() });
  }

  forget(server: ServerId): void {
    this.#heard.delete(server);
  }

  /** Milliseconds since 1970; undefined: never. */
  of(server: ServerId): number | undefined {
    const heard = this.#heard.get(server);
    if (!heard) return undefined;
    const byNow = Date.now() - (performance.now() - heard.monotonicMs);
    // Not the other way round: a machine that slept has a clock that is ahead, and rightly so.
    return byNow < heard.at - driftMs ? byNow : heard.at;
  }
}
