import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { ClusterConnection } from '../../../../server/cluster/connect.js';
import { sharedLimiter } from '../../../../server/cluster/sharedLimiter.js';
import { type SignedOut, SignOuts } from '../../../../server/cluster/signOuts.js';
import { eventually } from '../../../support/eventually.js';
import { type RedisServer, startRedis } from '../../../support/redisServer.js';

let redis: RedisServer;
const connections: ClusterConnection[] = [];

/** The connection of another instance. */
async function connect(): Promise<ClusterConnection> {
  const log = pino({ level: 'silent' });
  const connection = new ClusterConnection({ url: redis.url, log, deadlineMs: 500 });
  connections.push(connection);
  await connection.connected(60_000);
  return connection;
}

beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  redis.resume();
  await redis.stop();
});

describe('a shared limiter', () => {
  const limit = { name: 'address', points: 2, durationSeconds: 60 };

  test('counts what is consumed at any instance', async () => {
    const limiters = [sharedLimiter(await connect(), limit), sharedLimiter(await connect(), limit)];
    for (const limiter of limiters) await limiter.consume('10.0.0.1');
    for (const limiter of limiters)
      expect(await limiter.get('10.0.0.1')).toMatchObject({ consumedPoints: 2 });
    for (const limiter of limiters)
      await expect(limiter.consume('10.0.0.1')).rejects.toMatchObject({
        msBeforeNext: expect.any(Number),
      });
    expect(await limiters[0]?.get('10.0.0.2')).toBeNull();
  });

  test('limits of another name count by themselves', async () => {
    const connection = await connect();
    await sharedLimiter(connection, limit).consume('key');
    expect(await sharedLimiter(connection, { ...limit, name: 'all' }).get('key')).toBeNull();
  });

  test.each([
    ['is away', () => redis.stop()],
    ['hangs', async () => redis.suspend()],
  ])('counts by itself while Redis %s', async (_, fault) => {
    const limiter = sharedLimiter(await connect(), limit);
    await fault();
    await limiter.consume('10.0.0.1');
    await limiter.consume('10.0.0.1');
    await expect(limiter.consume('10.0.0.1')).rejects.toMatchObject({ consumedPoints: 3 });
  });
});

describe('sign-outs', () => {
  const expiresAt = Date.now() + 3_600_000;

  async function start() {
    const seen: SignedOut[] = [];
    const signOuts = new SignOuts({
      connection: await connect(),
      onSignOut: (session) => seen.push(session),
      keptMs: 3_600_000,
    });
    await signOuts.refresh();
    return { signOuts, seen };
  }

  test('are known at every instance, each once, at one that starts later as well', async () => {
    const [a, b] = [await start(), await start()];
    a.signOuts.add({ id: 'one', expiresAt });
    await eventually(async () => {
      await b.signOuts.refresh();
      expect(b.seen).toEqual([{ id: 'one', expiresAt }]);
    });
    b.signOuts.add({ id: 'two', expiresAt });
    await eventually(async () => {
      await a.signOuts.refresh();
      expect(a.seen.map(({ id }) => id)).toEqual(['one', 'two']);
    });
    await eventually(async () => {
      await b.signOuts.refresh();
      expect(b.seen.map(({ id }) => id)).toEqual(['one', 'two']);
    });
    expect((await start()).seen.map(({ id }) => id)).toEqual(['one', 'two']);
  });

  test('wait while Redis is away', async () => {
    const [a, b] = [await start(), await start()];
    await redis.stop();
    await eventually(async () => {
      a.signOuts.add({ id: 'one', expiresAt });
      await a.signOuts.refresh();
      expect(a.seen).toEqual([]);
    });
    await redis.restart();
    await eventually(async () => {
      await a.signOuts.refresh();
      await b.signOuts.refresh();
      expect(b.seen).toEqual([{ id: 'one', expiresAt }]);
    });
  });

  test('are known after Redis lost its keys and its clock went back', async () => {
    const [a, b] = [await start(), await start()];
    a.signOuts.add({ id: 'one', expiresAt });
    await eventually(async () => {
      await b.signOuts.refresh();
      expect(b.seen).toHaveLength(1);
    });
    // As if the clock had been ahead before.
    await redis.call('ZADD', '{pubsub-dashboard}:sign-outs', '9000000000000', `two ${expiresAt}`);
    for (const { signOuts } of [a, b]) await signOuts.refresh();
    await redis.call('FLUSHALL');
    a.signOuts.add({ id: 'three', expiresAt });
    await eventually(async () => {
      await b.signOuts.refresh();
      expect(b.seen.map(({ id }) => id)).toEqual(['one', 'two', 'three']);
    });
  });

  test('more than a page of them are read', async () => {
    const a = await start();
    for (let i = 0; i < 2500; i += 1) a.signOuts.add({ id: String(i), expiresAt });
    await eventually(async () => {
      await a.signOuts.refresh();
      expect(new Set(a.seen.map(({ id }) => id)).size).toBe(2500);
    });
    const b = await start();
    expect(b.seen).toHaveLength(2500);
  });
});
