import type { HeapClock } from '../../unit/machines/heapClock.js';
import type { ProgramClock } from '../simulatedTime.js';
import type { InstanceClock } from './instanceClock.js';

/** Numbers of timers of instances. Those of the world are far below. */
const firstTimer = 1e9;

/** The clock of the instance whose code runs now, or of the world around the instances. */
export class CurrentClock implements ProgramClock {
  readonly #world: HeapClock;
  readonly #owners = new Map<number, InstanceClock>();
  #running: InstanceClock | undefined;
  #timers = firstTimer;

  constructor(world: HeapClock) {
    this.#world = world;
  }

  get nowMs(): number {
    return (this.#running ?? this.#world).nowMs;
  }

  get wallMs(): number {
    return this.#running ? this.#running.wallMs : this.#world.nowMs;
  }

  readonly setTimeout = (fire: () => void, delayMs: number): number =>
    (this.#running ?? this.#world).setTimeout(fire, delayMs);

  readonly clearTimeout = (timer: number | undefined): void => {
    const owner = this.#owners.get(timer ?? 0);
    (owner ?? this.#world).clearTimeout(timer);
  };

  /** Runs what belongs to one instance, by its clock. */
  within<T>(clock: InstanceClock, happen: () => T): T {
    return this.#by(clock, happen);
  }

  /** Runs what belongs to the world, although an instance caused it. */
  outside<T>(happen: () => T): T {
    return this.#by(undefined, happen);
  }

  nextTimer(owner: InstanceClock): number {
    this.#timers += 1;
    this.#owners.set(this.#timers, owner);
    return this.#timers;
  }

  forgetTimer(timer: number): void {
    this.#owners.delete(timer);
  }

  #by<T>(clock: InstanceClock | undefined, happen: () => T): T {
    const outer = this.#running;
    this.#running = clock;
    try {
      return happen();
    } finally {
      this.#running = outer;
    }
  }
}
