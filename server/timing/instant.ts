import type { Clock } from './clock.js';

/** A moment by both clocks: one of them may stand still while a machine sleeps, the other may be set. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export function instantOf(clock: Clock): Instant {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() };
}

/** By how many milliseconds the clocks differ about the time since a moment. */
export function differenceOf({ monotonicMs, wallMs }: Instant, clock: Clock): number {
  return Math.abs(clock.monotonicMs() - monotonicMs - (clock.wallMs() - wallMs));
}

/** Milliseconds since a moment, by the clock that says more; at least 0. */
export function ageOf({ monotonicMs, wallMs }: Instant, clock: Clock): number {
  return Math.max(0, clock.monotonicMs() - monotonicMs, clock.wallMs() - wallMs);
}
