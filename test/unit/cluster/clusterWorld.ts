import type { ElectionEvent } from '../../../machines/ports.js';
import type { InstanceInfo } from '../../../server/cluster/clusterStore.js';
import { Lease } from '../../../server/cluster/lease.js';
import { HandClock } from '../../support/handClock.js';
import { infoOf } from '../../support/infoOf.js';
import { SimulatedClusterStore } from '../../support/simulatedClusterStore.js';
import { SimulatedRedis } from '../../support/simulatedRedis.js';

export const leaseMs = 3000;
export const beatMs = 1000;
const networkMs = 1;

/** An instance that always wants to lead, with what its election was told. */
export interface TestInstance {
  readonly lease: Lease;
  readonly clock: HandClock;
  readonly events: ElectionEvent[];
  /** It campaigns whenever nobody leads. */
  isVoter: boolean;
  /** What its beats tell. */
  info: InstanceInfo;
  /** Nothing gets through to Redis, or back. */
  isCutOff: boolean;
  /** Answers of Redis are lost. */
  isDeaf: boolean;
  /** Stands for the process: its timers and answers wait while it is stopped. */
  pause(): void;
  resume(): void;
  readonly types: string[];
}

/** Instances in one simulated time over one simulated Redis. */
export class ClusterWorld {
  readonly time = new HandClock();
  readonly redis = new SimulatedRedis(() => this.time.wallMs());
  readonly instances: TestInstance[] = [];

  /**
   * Redis replicates asynchronously: when a replica takes over that has not heard of the last taking, another
   * instance may take the lease, until the leader's next beat, or until it steps down.
   */
  mayDisagreeUntilMs = 0;

  start(id: string, more: Partial<InstanceInfo> = {}, isVoter = true): TestInstance {
    const clock = new PausableClock(this.time);
    const link = {
      toRedis: (deliver: () => void) =>
        void this.time.setTimeout(() => instance.isCutOff || deliver(), networkMs),
      toInstance: (deliver: () => void) =>
        void clock.setTimeout(() => instance.isCutOff || instance.isDeaf || deliver(), networkMs),
    };
    const store = new SimulatedClusterStore({ redis: this.redis, link, clock });
    const events: ElectionEvent[] = [];
    const lease = new Lease({
      store,
      clock,
      self: id,
      info: () => instance.info,
      leaseMs,
      beatMs,
    });
    const instance: TestInstance = {
      lease,
      clock,
      events,
      isVoter,
      info: infoOf(id, more),
      isCutOff: false,
      isDeaf: false,
      pause: () => clock.pause(),
      resume: () => clock.resume(),
      get types() {
        return events.map(({ type }) => type);
      },
    };
    lease.elect((event) => {
      events.push(event);
      if (instance.isVoter && event.type === 'leader.gone') lease.campaign();
    });
    this.instances.push(instance);
    lease.start();
    return instance;
  }

  /** Starts an instance and waits until it leads. */
  startLeader(id: string, more: Partial<InstanceInfo> = {}): TestInstance {
    const instance = this.start(id, more);
    this.advanceUntil(() => instance.lease.current().isHeld);
    return instance;
  }

  /** Those that may act now. Never more than one. */
  leaders(): string[] {
    const believing = this.instances.filter(({ lease }) => lease.current().isHeld);
    // To ask one alone would end its lease, which it must do by itself.
    const acting =
      believing.length < 2 ? believing : believing.filter((it) => it.lease.isHeldNow());
    return acting.map(({ info: { id } }) => id);
  }

  /** In steps, and looks at each of them how many lead. */
  advance(ms: number): void {
    for (let passedMs = 0; passedMs < ms; passedMs += 10) {
      this.time.advance(Math.min(10, ms - passedMs));
      const leaders = this.leaders();
      if (leaders.length > 1 && this.time.monotonicMs() > this.mayDisagreeUntilMs)
        throw new Error(`two voices: ${leaders.join(', ')}`);
    }
  }

  /** How long it took. Throws after a minute. */
  advanceUntil(condition: () => boolean): number {
    const beganAtMs = this.time.monotonicMs();
    while (!condition()) {
      this.advance(10);
      if (this.time.monotonicMs() - beganAtMs > 60_000) throw new Error('it does not come true');
    }
    return this.time.monotonicMs() - beganAtMs;
  }
}

/** Timers that are due while the process is stopped fire when it resumes, in order. */
class PausableClock extends HandClock {
  readonly #time: HandClock;
  readonly #overdue = new Map<number, () => void>();
  #isPaused = false;

  constructor(time: HandClock) {
    super();
    this.#time = time;
  }

  override monotonicMs(): number {
    return this.#time.monotonicMs() + this.monotonicOffsetMs;
  }

  override wallMs(): number {
    return this.#time.monotonicMs() + this.wallOffsetMs;
  }

  override setTimeout(fire: () => void, ms: number): number {
    const timer: number = this.#time.setTimeout(() => {
      if (this.#isPaused) this.#overdue.set(timer, fire);
      else fire();
    }, ms);
    return timer;
  }

  override clearTimeout(timer: unknown): void {
    this.#time.clearTimeout(timer);
    this.#overdue.delete(timer as number);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const [timer, fire] of this.#overdue) {
      this.#overdue.delete(timer);
      fire();
    }
  }
}
