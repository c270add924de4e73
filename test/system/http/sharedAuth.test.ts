import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { ClusterConnection } from '../../../server/cluster/connect.js';
import { InstanceSignatures } from '../../../server/cluster/instanceSignatures.js';
import { sharedAuth } from '../../../server/cluster/sharedAuth.js';
import { createApp } from '../../../server/http/app.js';
import { appNeeds } from '../../support/appNeeds.js';
import { clusterNeeds, clusterSecret } from '../../support/clusterNeeds.js';
import { eventually } from '../../support/eventually.js';
import { FakeSource } from '../../support/fakeSource.js';
import { useHarness } from '../../support/harness.js';
import { type Answer, ask } from '../../support/http.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';

const harness = useHarness();
const log = pino({ level: 'silent' });
const endings: (() => void)[] = [];
let redis: RedisServer;
let number = 0;

beforeAll(async () => {
  redis = await startRedis();
});
afterEach(() => {
  for (const end of endings.splice(0)) end();
});
afterAll(() => redis.stop());

/** Keys of a test's own, in one slot. */
const keysOf = (name: string) => ({
  attempts: `{${name}}:attempts`,
  signOuts: `{${name}}:sign-outs`,
  aboutSignOuts: `{${name}}:about`,
});

/** Instances of one cluster, each with a connection of its own. */
async function startInstances(count: number, deadlineMs = 60_000): Promise<string[]> {
  number += 1;
  const name = `test-${number}`;
  const start = async (id: number) => {
    const connection = new ClusterConnection({ url: redis.url, log, deadlineMs });
    await connection.connected(60_000);
    const shared = sharedAuth(connection, clusterSecret, {
      keys: keysOf(name),
      pollMs: 20,
      deadlineMs,
    });
    endings.push(() => {
      shared.signOuts.close();
      connection.close();
    });
    const signatures = new InstanceSignatures(clusterSecret, `instance-${id}`);
    const needs = appNeeds({
      viewerToken: 'secret',
      fleet: { state: () => ({}) as never, discovery: () => [] },
      streams: { feed: harness.feed(new FakeSource()) },
      cluster: clusterNeeds(signatures, { ...shared, isLeading: () => true }),
    });
    return (await harness.app(createApp(needs))).url;
  };
  return Promise.all(Array.from({ length: count }, (_, id) => start(id)));
}

const bearer = (url: string, token: string): Promise<Answer> =>
  ask(`${url}/api/state`, { headers: { Authorization: `Bearer ${token}` } });

/** Signs in; the cookie. */
async function signIn(url: string): Promise<string> {
  const { headers, status } = await ask(`${url}/api/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"token":"secret"}',
  });
  expect(status).toBe(204);
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

const withCookie = (url: string, Cookie: string) =>
  ask(`${url}/api/state`, { headers: { Cookie } });

describe('wrong tokens', () => {
  test('are counted over all instances', async () => {
    const urls = await startInstances(3);
    for (let i = 0; i < 10; i += 1)
      expect(await bearer(urls[i % 3] ?? '', 'wrong')).toMatchObject({ code: 'unauthorized' });
    for (const url of urls) {
      expect(await bearer(url, 'wrong')).toMatchObject({ code: 'too_many_attempts' });
      expect(await bearer(url, 'secret')).toMatchObject({ code: 'too_many_attempts' });
    }
  });

  test('are counted by each instance while Redis hangs', async () => {
    const [one = '', two = ''] = await startInstances(2, 1000);
    redis.suspend();
    try {
      for (let i = 0; i < 10; i += 1)
        expect(await bearer(one, 'wrong')).toMatchObject({ code: 'unauthorized' });
      expect(await bearer(one, 'secret')).toMatchObject({ code: 'too_many_attempts' });
      expect(await bearer(two, 'secret')).toMatchObject({ status: 200 });
    } finally {
      redis.resume();
    }
  });
});

describe('a session', () => {
  test('holds at every instance, and ends at every one', async () => {
    const [one = '', two = ''] = await startInstances(2);
    const cookie = await signIn(one);
    const other = await signIn(two);
    expect(await withCookie(two, cookie)).toMatchObject({ status: 200 });
    const stream = await harness.stream({ url: two }, { headers: { Cookie: cookie } });
    await eventually(() => expect(stream.messages).toHaveLength(1));
    const out = { method: 'DELETE', headers: { Cookie: cookie } };
    expect((await ask(`${one}/api/session`, out)).status).toBe(204);
    await eventually(async () =>
      expect(await withCookie(two, cookie)).toMatchObject({ code: 'unauthorized' }),
    );
    await eventually(() => expect(stream.isEnded()).toBe(true));
    for (const url of [one, two])
      expect(await withCookie(url, other)).toMatchObject({ status: 200 });
  });

  test('that ended while Redis was away ends elsewhere when it is back, empty', async () => {
    const [one = '', two = ''] = await startInstances(2);
    const [before, during] = [await signIn(one), await signIn(one)];
    const out = (Cookie: string) =>
      ask(`${one}/api/session`, { method: 'DELETE', headers: { Cookie } });
    await out(before);
    await eventually(async () =>
      expect(await withCookie(two, before)).toMatchObject({ code: 'unauthorized' }),
    );
    await redis.stop();
    await out(during);
    expect(await withCookie(one, during)).toMatchObject({ code: 'unauthorized' });
    await redis.restart();
    await eventually(async () =>
      expect(await withCookie(two, during)).toMatchObject({ code: 'unauthorized' }),
    );
    // Redis has lost the first one, and is told again.
    await eventually(async () =>
      expect(await redis.call('ZCARD', `{test-${number}}:sign-outs`)).toBe(2),
    );
  });

  test('that ended is refused by an instance that starts later', async () => {
    const [one = ''] = await startInstances(1);
    const cookie = await signIn(one);
    await ask(`${one}/api/session`, { method: 'DELETE', headers: { Cookie: cookie } });
    await eventually(async () =>
      expect(await redis.call('ZCARD', `{test-${number}}:sign-outs`)).toBe(1),
    );
    number -= 1;
    const [later = ''] = await startInstances(1);
    await eventually(async () =>
      expect(await withCookie(later, cookie)).toMatchObject({ code: 'unauthorized' }),
    );
  });

  test('that ended is refused although Redis remembers only the last thousands', async () => {
    const connection = new ClusterConnection({ url: redis.url, log, deadlineMs: 60_000 });
    await connection.connected(60_000);
    const start = () =>
      sharedAuth(connection, clusterSecret, { keys: keysOf('many'), pollMs: 20 }).signOuts;
    const [writer, reader] = [start(), start()];
    endings.push(() => {
      writer.close();
      reader.close();
      connection.close();
    });
    const expiresAt = Date.now() + 3_600_000;
    for (let i = 0; i < 5000; i += 1) writer.add({ id: `id-${i}`, expiresAt: expiresAt + i });
    await eventually(async () =>
      expect(await redis.call('ZSCORE', '{many}:sign-outs', 'id-4999')).not.toBeNull(),
    );
    const ended = new Set<string>();
    let refusedUntil = 0;
    reader.follow({
      onSignedOut: ({ id }) => ended.add(id),
      onRefused: (untilMs) => {
        refusedUntil = untilMs;
      },
    });
    await eventually(() => expect(refusedUntil).toBeGreaterThan(0));
    const isRefused = (i: number) => ended.has(`id-${i}`) || expiresAt + i <= refusedUntil;
    expect(Array.from({ length: 5000 }, (_, i) => i).filter((i) => !isRefused(i))).toEqual([]);
    expect(ended.size).toBeLessThanOrEqual(4096);
  });
});
