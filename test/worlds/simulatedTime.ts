/** The clock that the program's clocks and timers are replaced with. */
export interface ProgramClock {
  readonly nowMs: number;
  /** What `Date.now` tells, since the beginning. Default: `nowMs`. */
  readonly wallMs?: number;
  readonly setTimeout: (fire: () => void, delayMs: number) => number;
  readonly clearTimeout: (timer: number | undefined) => void;
}

/** What the worlds' time begins with: any instant, the same for all. */
export const beginningMs = Date.UTC(2026, 0, 1);

const forbid = (what: string) => () => {
  throw new Error(`${what} was asked for: a world must be the same each time`);
};

/**
 * Runs `live` with the program's clocks and timers replaced by a world's: so the service's own parts run
 * in it unchanged. Whoever asks for chance inside is refused. `live` must not wait for anything real.
 * `warn` is told what would be printed.
 */
export function withSimulatedTime<T>(
  clock: ProgramClock,
  warn: (warning: string) => void,
  live: () => T,
): T {
  const { setTimeout, clearTimeout } = clock;
  const restore = [
    replace(globalThis, { setTimeout, clearTimeout }),
    replace(globalThis, {
      clearInterval: (interval?: Interval) => clearTimeout(interval?.timer ?? 0),
      setInterval: (fire: () => void, ms: number) => setRepeating(clock, fire, ms),
      setImmediate: (fire: () => void) => setTimeout(fire, 0),
      clearImmediate: clearTimeout,
      queueMicrotask: forbid('a microtask'),
    }),
    replace(globalThis.performance, { now: () => clock.nowMs }),
    replace(Date, { now: () => beginningMs + (clock.wallMs ?? clock.nowMs) }),
    replace(Math, { random: forbid('chance') }),
    // XState's development build warns of mistakes.
    replace(globalThis.console, { warn }),
  ];
  try {
    return live();
  } finally {
    for (const undo of restore) undo();
  }
}

/** Replaces properties; the function that is returned puts the former ones back. */
function replace(target: object, replacements: Record<string, unknown>): () => void {
  const former = Object.keys(replacements).map(
    (name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const,
  );
  for (const [name, value] of Object.entries(replacements))
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
  return () => {
    for (const [name, descriptor] of former) {
      if (descriptor) Object.defineProperty(target, name, descriptor);
      else Reflect.deleteProperty(target, name);
    }
  };
}

/** What stands for an interval: its next timer. */
interface Interval {
  timer: number;
}

function setRepeating(clock: ProgramClock, fire: () => void, ms: number): Interval {
  const repeat = () => {
    interval.timer = clock.setTimeout(repeat, ms);
    fire();
  };
  const interval = { timer: clock.setTimeout(repeat, ms) };
  return interval;
}
