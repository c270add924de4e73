import type {
  AcquireAsk,
  AcquireResult,
  Answered,
  Beat,
  BeatResult,
  ClusterStore,
  Release,
  TakeInbox,
} from '../../server/cluster/clusterStore.js';
import type { Clock } from '../../server/timing/clock.js';
import type { SimulatedRedis } from './simulatedRedis.js';

/** Carries requests to Redis and answers back. Its owner calls `deliver` later, more than once, or never. */
export interface RedisLink {
  toRedis(deliver: () => void): void;
  toInstance(deliver: () => void): void;
}

/** A link that loses nothing and takes `ms` in each direction. */
export const goodLink = (clock: Clock, ms = 0): RedisLink => ({
  toRedis: (deliver) => void clock.setTimeout(deliver, ms),
  toInstance: (deliver) => void clock.setTimeout(deliver, ms),
});

export interface SimulatedClusterStoreNeeds {
  readonly redis: SimulatedRedis;
  readonly link: RedisLink;
  /** The clock of the instance: it times the deadline. */
  readonly clock: Clock;
  /** Default: 1 s. */
  readonly deadlineMs?: number;
}

/** The `ClusterStore` of one simulated instance. Nothing in it waits for a promise. */
export class SimulatedClusterStore implements ClusterStore {
  readonly #needs: SimulatedClusterStoreNeeds;
  readonly #open = new Set<(error: Error) => void>();
  #isClosed = false;

  constructor(needs: SimulatedClusterStoreNeeds) {
    this.#needs = needs;
  }

  acquire(ask: AcquireAsk, done: Answered<AcquireResult>): void {
    this.#ask((redis) => redis.acquire(ask), done);
  }

  beat(beat: Beat, done: Answered<BeatResult>): void {
    this.#ask((redis) => redis.beat(beat), done);
  }

  release(lease: Release, done: Answered<void>): void {
    this.#ask((redis) => redis.release(lease), done);
  }

  leave(instance: string, done: Answered<void>): void {
    this.#ask((redis) => redis.leave(instance), done);
  }

  pushInbox(entries: readonly string[], done: Answered<void>): void {
    this.#ask((redis) => redis.pushInbox(entries), done);
  }

  takeInbox(ask: TakeInbox, done: Answered<string[]>): void {
    this.#ask((redis) => redis.takeInbox(ask), done);
  }

  /** Requests that are open fail. */
  close(): void {
    this.#isClosed = true;
    for (const fail of [...this.#open]) fail(new Error('the connection to Redis was closed'));
  }

  #ask<T>(execute: (redis: SimulatedRedis) => T, done: Answered<T>): void {
    const { link, clock, deadlineMs = 1000, redis } = this.#needs;
    const fail = (error: Error) => settle(error);
    const late = () => new Error(`Redis did not answer within ${deadlineMs} ms`);
    const deadline = clock.setTimeout(() => settle(late()), deadlineMs);
    const settle: Answered<T> = (error, result) => {
      if (!this.#open.delete(fail)) return;
      clock.clearTimeout(deadline);
      done(error, result);
    };
    this.#open.add(fail);
    if (this.#isClosed)
      clock.setTimeout(() => settle(new Error('the connection to Redis was closed')), 0);
    else
      link.toRedis(() => {
        const { error, result } = executed(redis, execute);
        link.toInstance(() => settle(error, result));
      });
  }
}

function executed<T>(
  redis: SimulatedRedis,
  execute: (redis: SimulatedRedis) => T,
): { error?: Error; result?: T } {
  if (redis.isDown) return { error: new Error('connect ECONNREFUSED') };
  try {
    return { result: execute(redis) };
  } catch (error) {
    return { error: error as Error };
  }
}
