import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { BoundedMap } from '../boundedMap.js';
import { withDeadline } from '../timing/withDeadline.js';
import type { ClusterConnection } from './connect.js';

export interface SharedLimiterOptions {
  /** Begins with the name in braces that decides the slot of a Redis cluster. */
  key: string;
  points: number;
  durationSeconds: number;
  /** Deadline of an answer of Redis. Default 500. */
  deadlineMs?: number | undefined;
}

/** What was counted under a key. */
export interface Counted {
  consumedPoints: number;
  msBeforeNext: number;
}

const usualDeadlineMs = 500;
/** After a failure, Redis is not asked for this long. */
const awayMs = 2000;
/** A client that is never wrong makes at most one request to Redis in this time. */
const rememberedMs = 1000;
const maxRemembered = 4096;

/** A rate limit that all instances count in Redis. Without Redis, this instance counts alone. */
export class SharedLimiter {
  readonly points: number;
  readonly #connection: Pick<ClusterConnection, 'client'>;
  readonly #options: SharedLimiterOptions;
  readonly #alone: RateLimiterMemory;
  #together: RateLimiterRedis | undefined;
  #awayUntilMs = 0;
  readonly #remembered = new BoundedMap<string, { counted: Counted | null; atMs: number }>(
    maxRemembered,
  );

  constructor(connection: Pick<ClusterConnection, 'client'>, options: SharedLimiterOptions) {
    const { points, durationSeconds: duration } = options;
    this.points = points;
    this.#connection = connection;
    this.#options = options;
    this.#alone = new RateLimiterMemory({ points, duration });
  }

  /** Counts one; rejects with a `Counted` if that is too many. */
  consume(key: string): Promise<Counted> {
    this.#remembered.delete(key);
    return this.#ask((limiter) => limiter.consume(key));
  }

  /** What was counted, at most a second ago; null: nothing. */
  async get(key: string): Promise<Counted | null> {
    const known = this.#remembered.get(key);
    if (known && performance.now() - known.atMs < rememberedMs) return known.counted;
    const atMs = performance.now();
    const counted = await this.#ask((limiter) => limiter.get(key));
    this.#remembered.set(key, { counted, atMs });
    return counted;
  }

  async #ask<T>(ask: (limiter: RateLimiterMemory | RateLimiterRedis) => Promise<T>): Promise<T> {
    const together = this.#limiterOfAll();
    const { deadlineMs = usualDeadlineMs } = this.#options;
    if (!together) return ask(this.#alone);
    try {
      return await withDeadline(ask(together), deadlineMs, () => {
        throw new Error('Redis did not answer in time');
      });
    } catch (error) {
      // Counted, and too many.
      if (error instanceof RateLimiterRes) throw error;
      this.#awayUntilMs = performance.now() + awayMs;
      return ask(this.#alone);
    }
  }

  /** Undefined: Redis cannot be asked now. */
  #limiterOfAll(): RateLimiterRedis | undefined {
    if (performance.now() < this.#awayUntilMs) return undefined;
    try {
      const { client } = this.#connection;
      const { key, points, durationSeconds: duration } = this.#options;
      this.#together ??= new RateLimiterRedis({
        storeClient: client,
        keyPrefix: key,
        points,
        duration,
      });
      return this.#together;
    } catch {
      return undefined;
    }
  }
}
