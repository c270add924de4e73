import { type Clock, systemClock, type Timer } from '../timing/clock.js';
import type { CheckTimes } from './checkTimes.js';
import type { Dependency } from './dependencies.js';

/** How a dependency is asked whether it answers. */
export interface Check {
  readonly dependency: Dependency;
  /** Resolves if it answers. Rejects if it does not, or when the signal aborts. */
  readonly ask: (signal: AbortSignal) => Promise<unknown>;
  /** Why it does not, in plain words. */
  readonly causeOf: (error: unknown) => string;
  /** What a missing answer means. Default: "no answer within … s". */
  readonly lateCause?: () => string | undefined;
  readonly times: CheckTimes;
}

/** What tests change. */
export interface ChecksOptions {
  /** In place of that of each check. */
  everyMs?: number | undefined;
  clock?: Clock;
  /** How many times this process was paused. Default: never. */
  pauses?: () => number;
}

/** Asks dependencies in turns, each on its own: one that hangs delays no other. Its owner closes it. */
export class Checks {
  readonly #everyMs: number | undefined;
  readonly #clock: Clock;
  readonly #pauses: () => number;
  readonly #timers = new Set<Timer>();
  readonly #stop = new AbortController();

  constructor({ everyMs, clock = systemClock, pauses = () => 0 }: ChecksOptions = {}) {
    this.#everyMs = everyMs;
    this.#clock = clock;
    this.#pauses = pauses;
  }

  /** Asks at once, and again some seconds after each answer. */
  start(check: Check): void {
    if (!this.#stop.signal.aborted) void this.#round(check);
  }

  close(): void {
    this.#stop.abort(new Error('stopped'));
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
  }

  async #round(check: Check): Promise<void> {
    const pauses = this.#pauses();
    const cause = await this.#ask(check);
    if (this.#stop.signal.aborted) return;
    // The dependency is not the cause: this process could not read the answer in time.
    if (cause !== undefined && this.#pauses() > pauses) return this.#round(check);
    if (cause === undefined) check.dependency.answered();
    else check.dependency.failed(cause);
    this.#after(this.#everyMs ?? check.times.everyMs, () => void this.#round(check));
  }

  /** Ends at the deadline, even if the check ignores its signal. Why it failed; undefined: it did not. */
  async #ask(check: Check): Promise<string | undefined> {
    const { ask, causeOf, lateCause } = check;
    const { deadlineMs } = check.times;
    const attempt = new AbortController();
    const late = () => lateCause?.() ?? `no answer within ${deadlineMs / 1000} s`;
    const stop = () => attempt.abort();
    this.#stop.signal.addEventListener('abort', stop);
    let isLate = false;
    const ended = this.#after(deadlineMs, () => {
      isLate = true;
      attempt.abort();
    });
    try {
      await new Promise((resolve, reject) => {
        attempt.signal.addEventListener('abort', () => reject(new Error('aborted')));
        Promise.resolve(ask(attempt.signal)).then(resolve, reject);
      });
      return undefined;
    } catch (error) {
      return isLate ? late() : causeOf(error);
    } finally {
      ended();
      this.#stop.signal.removeEventListener('abort', stop);
    }
  }

  /** Returns a function that cancels it. */
  #after(ms: number, fire: () => void): () => void {
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      fire();
    }, ms);
    this.#timers.add(timer);
    return () => {
      this.#clock.clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }
}
