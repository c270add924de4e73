import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { ClusterConnection } from './connect.js';
import { clusterKeys } from './keys.js';

/** A limit of points in a time, for each key. */
export interface Limit {
  /** Names the counters of this limit: instances with the same name count together. */
  readonly name: string;
  readonly points: number;
  readonly durationSeconds: number;
}

/** A rate limiter that all instances of a cluster share. While Redis is away, each counts by itself. */
export function sharedLimiter(
  { uncheckedClient }: ClusterConnection,
  { name, points, durationSeconds: duration }: Limit,
): RateLimiterRedis {
  return new RateLimiterRedis({
    storeClient: uncheckedClient,
    keyPrefix: `${clusterKeys.attempts}:${name}`,
    points,
    duration,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory({ points, duration }),
  });
}
