import type { Clock } from '../../../server/timing/clock.js';
import type { HeapClock } from '../../unit/machines/heapClock.js';
import { beginningMs } from '../simulatedTime.js';
import type { CurrentClock } from './currentClock.js';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
  /** Its timer in the clock of the world; undefined while the instance is paused. */
  outer: number | undefined;
}

/** What a pause does to the clocks of a process. */
export type Pause =
  /** As by SIGSTOP: both clocks run on. */
  | 'stopped'
  /** As by a suspend: the monotonic clock stands still. */
  | 'suspended'
  /** As of a virtual machine: both clocks stand still. */
  | 'frozen';

/** A lease time, and the difference of clocks that ends no lease. */
const hiddenMs = { before: 3000, difference: 550 };

/**
 * The clocks of one process, in milliseconds: `nowMs` is monotonic, and `wallMs` can jump. While it is paused
 * nothing of it runs. What became due in the pause, and what arrived, comes after it.
 */
export class InstanceClock {
  /** When both clocks last stood still; 0: never. */
  stoodStillAtMs = 0;
  readonly #world: HeapClock;
  readonly #current: CurrentClock;
  readonly #beganMs: number;
  readonly #timers = new Map<number, Timer>();
  #wallOffsetMs: number;
  /** How long the monotonic clock stood still, in all. */
  #stoodStillMs = 0;
  #pause: { readonly kind: Pause; readonly sinceMs: number } | undefined;
  #arrived: (() => void)[] = [];
  #hasEnded = false;
  /** By how much the wall clock was last set, and when. */
  #set = { byMs: 0, atMs: Number.NEGATIVE_INFINITY };

  constructor(world: HeapClock, current: CurrentClock, wallOffsetMs: number) {
    this.#world = world;
    this.#current = current;
    this.#beganMs = world.nowMs;
    this.#wallOffsetMs = wallOffsetMs;
  }

  get nowMs(): number {
    const lostMs = this.#pause && this.#pause.kind !== 'stopped' ? this.#pausedMs : 0;
    // Any number will do: no two processes compare their monotonic clocks.
    return 5000 + this.#world.nowMs - this.#beganMs - this.#stoodStillMs - lostMs;
  }

  get wallMs(): number {
    const lostMs = this.#pause?.kind === 'frozen' ? this.#pausedMs : 0;
    return this.#world.nowMs + this.#wallOffsetMs - lostMs;
  }

  /** As the parts of an instance take it. `isByWall`: a mistake, time is measured by the wall clock. */
  forParts(isByWall: boolean): Clock {
    const { setTimeout, clearTimeout } = this;
    const wallMs = () => beginningMs + this.wallMs;
    return { monotonicMs: isByWall ? wallMs : () => this.nowMs, wallMs, setTimeout, clearTimeout };
  }

  get isPaused(): boolean {
    return this.#pause !== undefined;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  readonly setTimeout = (fire: () => void, delayMs: number): number => {
    const order = this.#current.nextTimer(this);
    const timer = { dueMs: this.nowMs + Math.max(0, delayMs || 0), order, fire, outer: undefined };
    if (this.#hasEnded) return order;
    this.#timers.set(order, timer);
    this.#arm(timer);
    return order;
  };

  readonly clearTimeout = (order: number | undefined): void => {
    const timer = this.#timers.get(order ?? 0);
    if (!timer) return;
    this.#world.clearTimeout(timer.outer);
    this.#timers.delete(timer.order);
    this.#current.forgetTimer(timer.order);
  };

  get pending(): number {
    return this.#timers.size;
  }

  /** Something reaches the process: done at once, after the pause, or never. */
  run(happen: () => void): void {
    if (this.#hasEnded) return;
    if (this.#pause) this.#arrived.push(happen);
    else this.#current.within(this, happen);
  }

  pause(kind: Pause): void {
    if (this.#pause || this.#hasEnded) return;
    this.#pause = { kind, sinceMs: this.#world.nowMs };
    for (const timer of this.#timers.values()) {
      this.#world.clearTimeout(timer.outer);
      timer.outer = undefined;
    }
  }

  /** `isInputFirst`: it was waiting for input, so what arrived is looked at before the timers. */
  wake(isInputFirst: boolean): void {
    const { kind } = this.#pause ?? {};
    if (!kind) return;
    const pausedMs = this.#pausedMs;
    this.#pause = undefined;
    if (kind !== 'stopped') this.#stoodStillMs += pausedMs;
    if (kind === 'frozen') this.#wallOffsetMs -= pausedMs;
    if (kind === 'frozen' || (kind === 'suspended' && this.#hidesPause(pausedMs)))
      this.stoodStillAtMs = this.#world.nowMs;
    const arrived = this.#arrived;
    this.#arrived = [];
    if (isInputFirst) for (const happen of arrived) this.run(happen);
    const timers = [...this.#timers.values()];
    timers.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
    for (const timer of timers) if (this.#timers.has(timer.order)) this.#arm(timer);
    if (isInputFirst) return;
    for (const happen of arrived) this.#world.setTimeout(() => this.run(happen), 0);
  }

  /** The wall clock is set. */
  jump(ms: number): void {
    this.#wallOffsetMs += ms;
    this.#set = { byMs: ms, atMs: this.#world.nowMs };
  }

  /** The process is gone: its timers never fire. */
  end(): void {
    this.#hasEnded = true;
    this.#arrived = [];
    for (const order of [...this.#timers.keys()]) this.clearTimeout(order);
  }

  /** Set back just before by as much as it ran on in the pause, the wall clock too seems to have stood still. */
  #hidesPause(pausedMs: number): boolean {
    const { byMs, atMs } = this.#set;
    const isJustBefore = this.#world.nowMs - pausedMs - atMs < hiddenMs.before;
    return isJustBefore && Math.abs(pausedMs + byMs) < hiddenMs.difference;
  }

  get #pausedMs(): number {
    return this.#pause ? this.#world.nowMs - this.#pause.sinceMs : 0;
  }

  #arm(timer: Timer): void {
    if (this.#pause || timer.outer !== undefined) return;
    timer.outer = this.#world.setTimeout(() => {
      this.#timers.delete(timer.order);
      this.#current.forgetTimer(timer.order);
      this.run(timer.fire);
    }, timer.dueMs - this.nowMs);
  }
}
