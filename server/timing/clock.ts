/** A timer of a clock. */
export type Timer = unknown;

/** The clocks and timers of one process. Parts that must run in simulated time get one. */
export interface Clock {
  /** Milliseconds since any instant. Nobody sets it, but it may stand still while the machine sleeps. */
  monotonicMs(): number;
  /** Milliseconds since 1970. It may be set, also back. */
  wallMs(): number;
  setTimeout(fire: () => void, ms: number): Timer;
  /** Does nothing if the timer has fired, or is undefined. */
  clearTimeout(timer: Timer): void;
}

/** The clock of this process. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimeout: (fire, ms) => setTimeout(fire, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
};
