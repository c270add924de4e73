import type { Gap } from '../wire/observationsReport.js';

/** A time in which the service was active, in milliseconds since 1970. */
export interface WatchedTime {
  readonly fromMs: number;
  readonly toMs: number;
  /** Whether the counts were complete. */
  readonly isComplete: boolean;
}

/** Whether the service counts now. */
export interface Watching {
  isCounting: boolean;
  isComplete: boolean;
}

const maxTimes = 500;
/** If nothing is noted for longer, the process was suspended and saw nothing. */
const maxSilenceMs = 5000;

/** The newest times in which the service was active. */
export class WatchedTimes {
  #times: WatchedTime[] = [];
  #isOpen = false;

  /** Call it every second while the service counts, and once when it stops. */
  note({ isCounting, isComplete }: Watching, nowMs: number): void {
    const last = this.#times.at(-1);
    const isContinued =
      this.#isOpen && last !== undefined && nowMs >= last.toMs && nowMs - last.toMs <= maxSilenceMs;
    this.#isOpen = isCounting;
    if (!isCounting) return;
    if (isContinued && last.isComplete === isComplete) {
      this.#times[this.#times.length - 1] = { ...last, toMs: nowMs };
      return;
    }
    const fromMs = isContinued ? last.toMs : nowMs;
    this.#times.push({ fromMs, toMs: nowMs, isComplete });
    // A dropped time is reported as a gap.
    if (this.#times.length > maxTimes) this.#times.shift();
  }

  forgetBefore(ms: number): void {
    this.#times = this.#times.filter(({ toMs }) => toMs >= ms);
  }

  /** Adds times of earlier runs. */
  restore(times: readonly WatchedTime[]): void {
    this.#times = [...times, ...this.#times].slice(-maxTimes);
  }

  /** The gaps since a time, in order. */
  gaps(sinceMs: number): Gap[] {
    const gaps: Gap[] = [];
    const iso = (ms: number) => new Date(ms).toISOString();
    let atMs = sinceMs;
    for (const [index, { fromMs, toMs, isComplete }] of this.#times.entries()) {
      if (toMs <= sinceMs) continue;
      const isLast = index === this.#times.length - 1;
      const from = Math.max(fromMs, atMs);
      if (from > atMs) gaps.push({ from: iso(atMs), to: iso(from), reason: 'unwatched' });
      const to = isLast && this.#isOpen ? null : iso(toMs);
      if (!isComplete) gaps.push({ from: iso(from), to, reason: 'incomplete' });
      atMs = Math.max(atMs, toMs);
    }
    if (!this.#isOpen) gaps.push({ from: iso(atMs), to: null, reason: 'unwatched' });
    return gaps;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  [Symbol.iterator](): IterableIterator<WatchedTime> {
    return this.#times.values();
  }
}
