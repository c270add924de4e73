import { afterEach } from '@jest/globals';
import { pino } from 'pino';
import type {
  AcquireResult,
  Answered,
  ClusterStore,
  LeaseRecord,
} from '../../../../server/cluster/clusterStore.js';
import { ClusterConnection } from '../../../../server/cluster/connect.js';
import { RedisClusterStore } from '../../../../server/cluster/redisClusterStore.js';
import { HandClock } from '../../../support/handClock.js';
import { startRedis } from '../../../support/redisServer.js';
import { goodLink, SimulatedClusterStore } from '../../../support/simulatedClusterStore.js';
import { SimulatedRedis } from '../../../support/simulatedRedis.js';

/** One Redis, real or simulated, and what a test does to it. */
export interface ClusterRedis {
  /** Another instance's connection. Its requests fail soon, or later than any test. */
  connect(patience?: 'impatient'): Promise<ClusterStore>;
  /** Lets what was sent arrive, where nothing does by itself. */
  settle(): void;
  /** Restarts it without its keys. */
  loseKeys(): Promise<void>;
  /** It accepts commands and answers none. */
  hang(): void;
  timeMs(): Promise<number>;
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function real(): Promise<ClusterRedis> {
  const redis = await startRedis();
  ends.push(() => redis.stop());
  return {
    connect: async (patience) => {
      const log = pino({ level: 'silent' });
      const connection = new ClusterConnection({ url: redis.url, log, deadlineMs: 5000 });
      await connection.connected(60_000);
      const store = new RedisClusterStore(connection, {
        deadlineMs: patience === 'impatient' ? 1000 : 60_000,
      });
      ends.push(
        () => connection.close(),
        () => store.close(),
      );
      return store;
    },
    settle: () => undefined,
    loseKeys: async () => void (await redis.call('FLUSHALL')),
    hang: () => {
      redis.suspend();
      ends.push(() => redis.resume());
    },
    timeMs: async () => {
      const [seconds, micros] = (await redis.call('TIME')) as [string, string];
      return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    },
  };
}

async function simulated(): Promise<ClusterRedis> {
  const clock = new HandClock();
  const redis = new SimulatedRedis(() => clock.wallMs());
  let isHanging = false;
  const { toRedis, toInstance } = goodLink(clock, 1);
  const link = { toRedis: (it: () => void) => void (isHanging || toRedis(it)), toInstance };
  return {
    connect: async () => new SimulatedClusterStore({ redis, link, clock }),
    settle: () => clock.advance(isHanging ? 1000 : 5),
    loseKeys: async () => redis.loseKeys(),
    hang: () => {
      isHanging = true;
    },
    timeMs: async () => redis.timeMs,
  };
}

export const adapters = [
  ['a real Redis', real],
  ['the simulated Redis', simulated],
] as const;

/** The answer to one request, as a promise. */
export function answer<T>(
  redis: ClusterRedis,
  request: (done: Answered<T>) => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    request((error, result) => (error ? reject(error) : resolve(result)));
    redis.settle();
  });
}

/** The lease that was taken; throws if it was refused. */
export function taken(result: AcquireResult | undefined): LeaseRecord {
  if (!result || !('taken' in result)) throw new Error(`refused: ${JSON.stringify(result)}`);
  return result.taken;
}
