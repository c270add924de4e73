import { uptime } from 'node:os';
import { type Clock, systemClock, type Timer } from './clock.js';

/** A time in which this process did not run: it was stopped, its machine was suspended, or it was too busy. */
export interface Pause {
  /** When it ended, in milliseconds since 1970. */
  readonly endedAtMs: number;
  /** How long it was, to half a second. */
  readonly ms: number;
}

/** What a watch needs. */
export interface PauseWatchNeeds {
  /** Called soon after the end of a pause. */
  onPause: (pause: Pause) => void;
  clock?: Clock;
  /** Milliseconds since the machine started, with the time in which it was suspended. Default: `os.uptime`. */
  uptimeMs?: () => number;
}

const beatMs = 500;
/** A shorter gap is not called a pause: servers are given more time than that to answer. */
const leastPauseMs = 3000;

/**
 * Notices the pauses of this process by its own beat: a gap between two beats is a time in which it did not run.
 * While a machine is suspended, its monotonic clock may stand still. Then only its uptime shows it.
 */
export class PauseWatch {
  readonly #onPause: (pause: Pause) => void;
  readonly #clock: Clock;
  readonly #uptimeMs: () => number;
  #timer: Timer;
  #seenMs: number;
  #seenUptimeMs: number;
  /** How many pauses were noticed. */
  #count = 0;
  /** Time of the monotonic clock in which this process did not run. */
  #pausedMs = 0;
  /** Whether the present gap was seen by the monotonic clock. */
  #isNoted = false;

  constructor({ onPause, clock = systemClock, uptimeMs = () => uptime() * 1000 }: PauseWatchNeeds) {
    this.#onPause = onPause;
    this.#clock = clock;
    this.#uptimeMs = uptimeMs;
    this.#seenMs = clock.monotonicMs();
    this.#seenUptimeMs = uptimeMs();
    this.#wait();
  }

  /** Milliseconds of the monotonic clock in which this process ran. */
  awakeMs(): number {
    this.#look();
    return this.#seenMs - this.#pausedMs;
  }

  /** How many pauses there were until now. */
  count(): number {
    this.#look();
    return this.#count;
  }

  close(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = this.#clock.setTimeout(() => this.#beat(), beatMs);
  }

  #beat(): void {
    this.#wait();
    this.#look();
    const uptimeMs = this.#uptimeMs();
    const gapMs = uptimeMs - this.#seenUptimeMs;
    this.#seenUptimeMs = uptimeMs;
    // The monotonic clock stood still.
    if (!this.#isNoted && gapMs >= leastPauseMs) this.#note(gapMs);
    this.#isNoted = false;
  }

  /** After a pause, events may come before timers. So everybody who asks for the time looks. */
  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    const gapMs = nowMs - this.#seenMs;
    this.#seenMs = nowMs;
    if (gapMs < leastPauseMs) return;
    // The next beat was due within one interval.
    this.#pausedMs += gapMs - beatMs;
    this.#isNoted = true;
    this.#note(gapMs);
  }

  #note(ms: number): void {
    this.#count += 1;
    const pause = { endedAtMs: this.#clock.wallMs(), ms };
    // Not at once: whoever asked for the time is in the middle of something.
    this.#clock.setTimeout(() => this.#onPause(pause), 0);
  }
}
