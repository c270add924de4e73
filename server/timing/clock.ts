/** A timer of a clock. */
export type Timer = unknown;

/** The clocks and timers of one process. Parts that must run in simulated time get one. */
export interface Clock {
  /** Milliseconds since some instant. It is never set, but it may stand still while the machine sleeps. */
  monotonicMs(): number;
  /** Milliseconds since 1970. It may be set, also back. */
  wallMs(): number;
  /** At most 0 ms: at the end of this turn of the event loop. */
  setTimeout(fire: () => void, ms: number): Timer;
  /** Does nothing if the timer has fired, or is undefined. */
  clearTimeout(timer: Timer): void;
}

/** Node has a function of its own to clear these. */
interface Immediate {
  readonly immediate: NodeJS.Immediate;
}

/** The clock of this process. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimeout: (fire, ms) => (ms > 0 ? setTimeout(fire, ms) : { immediate: setImmediate(fire) }),
  clearTimeout: (timer) => {
    if (isImmediate(timer)) clearImmediate(timer.immediate);
    else clearTimeout(timer as NodeJS.Timeout | undefined);
  },
};

const isImmediate = (timer: Timer): timer is Immediate =>
  typeof timer === 'object' && timer !== null && 'immediate' in timer;
