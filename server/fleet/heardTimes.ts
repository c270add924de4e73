import type { ServerId } from '../../machines/ports.js';

/** Drift between two clocks of one machine. Beyond it, the wall clock was set back. */
const driftMs = 1000;

interface Heard {
  /** Wall clock, in milliseconds since 1970. */
  at: number;
  /** `performance.now()`, which cannot be set. */
  monotonicMs: number;
}

/** When each server last answered or posted. If the clock is set back, no time is in the future. */
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
    // A wall clock that is ahead is right: the machine was suspended.
    return byNow < heard.at - driftMs ? byNow : heard.at;
  }
}
