import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  type AcquireAsk,
  type AcquireResult,
  type Beat,
  type BeatResult,
  type ClusterStore,
  type InstanceInfo,
  maxInboxEntries,
} from '../../../../server/cluster/clusterStore.js';
import { infoOf } from '../../../support/infoOf.js';
import { adapters, answer, type ClusterRedis, taken } from './adapters.js';

const a = infoOf('a', { url: 'http://a:8080', serversUrl: 'https://dashboard.example' });
const b = infoOf('b');

describe.each(adapters)('%s', (_, start) => {
  let redis: ClusterRedis;
  let store: ClusterStore;
  beforeEach(async () => {
    redis = await start();
    store = await redis.connect();
  });

  let requests = 0;
  const takeOver = (
    info: InstanceInfo,
    seen: AcquireAsk['seen'],
    ask: { highestTerm?: number; requestId?: string } = {},
  ) =>
    answer<AcquireResult>(redis, (done) => {
      requests += 1;
      store.acquire({ info, seen, highestTerm: 0, requestId: `request ${requests}`, ...ask }, done);
    });
  /** Takes the lease as it is now. */
  const acquire = async (info: InstanceInfo, ask: Parameters<typeof takeOver>[2] = {}) =>
    takeOver(info, (await beat(info)).lease, ask);
  const beat = async (info: InstanceInfo, lease?: Beat['lease'], more: Partial<Beat> = {}) => {
    const told = { info, beats: 1, isCandidate: true, highestTerm: 0, lease, ...more };
    const result = await answer<BeatResult>(redis, (done) => store.beat(told, done));
    if (!result) throw new Error('no result');
    return result;
  };
  const release = (term: number, instance: string, isActive = false, wasForgotten = false) =>
    answer(redis, (done) => store.release({ term, instance, isActive, wasForgotten }, done));
  const push = (...entries: string[]) => answer(redis, (done) => store.pushInbox(entries, done));
  const take = (term: number, instance: string, requestId: string, confirmed?: string) =>
    answer<string[]>(redis, (done) =>
      store.takeInbox({ term, instance, requestId, confirmed }, done),
    );

  test('a lease that nobody has is taken, with a term of the time', async () => {
    const before = await redis.timeMs();
    const lease = taken(await acquire(a));
    expect(lease).toEqual({
      term: expect.any(Number),
      instance: 'a',
      url: 'http://a:8080',
      serversUrl: 'https://dashboard.example',
      protocol: 1,
      renewals: 1,
      isActive: false,
      isLost: false,
    });
    expect(lease.term).toBeGreaterThanOrEqual(before);
    expect((await beat(b)).lease).toEqual(lease);
  });

  test('a lease that another instance has is refused', async () => {
    const { lease: mark } = await beat(b);
    const lease = taken(await takeOver(a, mark));
    expect(await takeOver(b, mark)).toEqual({ refusedBy: lease });
  });

  test('a lease that comes and goes between two looks is noticed', async () => {
    const { lease: before } = await beat(a);
    expect(before).toMatchObject({ isLost: true, instance: undefined });
    expect((await beat(b)).lease).toEqual(before);
    taken(await takeOver(b, before));
    await redis.loseKeys();
    const { lease: after } = await beat(a);
    expect(after).toMatchObject({ isLost: true, instance: undefined });
    expect(after.renewals).not.toBe(before.renewals);
    expect(await takeOver(a, before)).toEqual({ refusedBy: after });
  });

  test('a lease that Redis lost is taken by nobody who has not seen that', async () => {
    const { term, renewals } = taken(await acquire(a));
    await redis.loseKeys();
    expect(await takeOver(b, { term, renewals })).toEqual({ refusedBy: undefined });
  });

  test('a lease is taken over if it still is what was seen', async () => {
    const { term, renewals } = taken(await acquire(a));
    await beat(a, { term, isActive: true });
    expect(await takeOver(b, { term, renewals })).toMatchObject({ refusedBy: { term } });
    const result = await takeOver(b, { term, renewals: renewals + 1 });
    expect(result).toMatchObject({
      taken: { instance: 'b', renewals: 1, isActive: true },
      previous: { instance: 'a', term, renewals: renewals + 1, isActive: true },
    });
    expect(taken(result).term).toBeGreaterThan(term);
  });

  test('the same request, executed twice, takes one term', async () => {
    const first = taken(await acquire(a));
    const ask = { requestId: 'the same' };
    const second = await takeOver(b, first, ask);
    expect(await takeOver(b, first, ask)).toEqual(second);
    expect(second).toMatchObject({ previous: first });
  });

  test('a request with the id of another instance is another request', async () => {
    const { lease: mark } = await beat(b);
    const lease = taken(await takeOver(a, mark, { requestId: 'the same' }));
    expect(await takeOver(b, mark, { requestId: 'the same' })).toEqual({ refusedBy: lease });
  });

  test('a term is above all that the asker knows, when the keys are lost', async () => {
    const highestTerm = (await redis.timeMs()) + 1_000_000;
    expect(taken(await acquire(a, { highestTerm })).term).toBe(highestTerm + 1);
    await redis.loseKeys();
    const lease = taken(await acquire(b, { highestTerm: highestTerm + 1 }));
    expect(lease.term).toBe(highestTerm + 2);
  });

  test('a term is above the last one, when the clock of Redis is behind', async () => {
    const ahead = (await redis.timeMs()) + 1_000_000;
    const { term, renewals } = taken(await acquire(a, { highestTerm: ahead }));
    expect(taken(await takeOver(b, { term, renewals })).term).toBe(ahead + 2);
  });

  test('a renewal counts, and tells whether the servers post', async () => {
    const { term } = taken(await acquire(a));
    const { isRenewed, lease } = await beat(a, { term, isActive: true });
    expect({ isRenewed, lease }).toMatchObject({
      isRenewed: true,
      lease: { term, renewals: 2, isActive: true },
    });
    expect((await beat(b)).lease).toEqual(lease);
    expect((await beat(a, { term, isActive: false })).lease).toMatchObject({ isActive: false });
  });

  test('neither another instance nor another term is renewed', async () => {
    const lease = taken(await acquire(a));
    const { term } = lease;
    for (const result of [
      await beat(b, { term, isActive: true }),
      await beat(a, { term: term - 1, isActive: true }),
      await beat(a),
    ])
      expect(result).toMatchObject({ isRenewed: false, lease });
  });

  test('a lease that was lost is not renewed', async () => {
    const { term } = taken(await acquire(a));
    await redis.loseKeys();
    expect(await beat(a, { term, isActive: true })).toMatchObject({
      isRenewed: false,
      lease: { isLost: true, instance: undefined },
    });
  });

  test('a term below one that an instance has seen is neither renewed nor drawn again', async () => {
    const { term, renewals } = taken(await acquire(a));
    expect((await beat(b, undefined, { highestTerm: term })).highestTerm).toBe(term);
    expect((await beat(a, { term, isActive: true })).isRenewed).toBe(true);
    const highestTerm = term + 1_000_000;
    expect((await beat(b, undefined, { highestTerm })).highestTerm).toBe(highestTerm);
    const result = await beat(a, { term, isActive: true });
    expect(result).toMatchObject({ isRenewed: false, highestTerm });
    const lease = taken(await takeOver(b, { term, renewals: renewals + 1 }));
    expect(lease.term).toBe(highestTerm + 1);
  });

  test('a released lease keeps its term and says whether the servers post', async () => {
    const { term, renewals } = taken(await acquire(a));
    await release(term, 'a', true);
    const { lease } = await beat(b);
    expect(lease).toMatchObject({ term, instance: undefined, isActive: true });
    expect(lease.renewals).toBeGreaterThan(renewals);
    expect((await beat(a, { term, isActive: true })).isRenewed).toBe(false);
    expect(await takeOver(b, { term, renewals })).toEqual({ refusedBy: lease });
    const result = await takeOver(b, { term, renewals: renewals + 1 });
    expect(result).toMatchObject({ taken: { instance: 'b' }, previous: { isActive: true } });
  });

  test('only the own lease is released', async () => {
    const lease = taken(await acquire(a));
    await release(lease.term, 'b');
    await release(lease.term - 1, 'a');
    expect((await beat(b)).lease).toEqual(lease);
  });

  test('a release tells Redis the term that it lost, on request', async () => {
    const { term } = taken(await acquire(a));
    const released = { term, instance: undefined, isActive: true, isLost: false };
    await redis.loseKeys();
    await release(term, 'a', true, true);
    expect((await beat(b)).lease).toMatchObject(released);
    await redis.loseKeys();
    const mark = (await beat(b, undefined, { highestTerm: term })).lease;
    expect(mark).toMatchObject({ isLost: true, term });
    await release(term, 'a', true);
    expect((await beat(b)).lease).toEqual(mark);
    await release(term, 'a', true, true);
    expect((await beat(b)).lease).toMatchObject(released);
    await release(term - 1, 'a', false, true);
    expect((await beat(b)).lease).toMatchObject(released);
  });

  test('a beat shows all instances, until they leave', async () => {
    await beat(a, undefined, { beats: 7, isCandidate: false });
    await beat(b, undefined, { beats: 3 });
    const info = { ...b, viewers: 5, reachesServers: true };
    const { instances } = await beat(info, undefined, { beats: 4 });
    expect([...instances].sort((one, other) => one.id.localeCompare(other.id))).toEqual([
      { ...a, beats: 7, isCandidate: false, beatAgoMs: expect.any(Number) },
      { ...info, beats: 4, isCandidate: true, beatAgoMs: expect.any(Number) },
    ]);
    await answer(redis, (done) => store.leave('a', done));
    expect((await beat(b)).instances.map(({ id }) => id)).toEqual(['b']);
  });

  test('only the leader takes the inbox', async () => {
    await push('one', 'two');
    const { term } = taken(await acquire(a));
    await expect(take(term, 'b', 'r1')).rejects.toThrow('NOTLEADER');
    await expect(take(term - 1, 'a', 'r1')).rejects.toThrow('NOTLEADER');
    expect((await beat(a)).inboxLength).toBe(2);
    expect(await take(term, 'a', 'r1')).toEqual(['one', 'two']);
    expect((await beat(a)).inboxLength).toBe(0);
  });

  test('entries are taken until the taking is confirmed', async () => {
    const { term } = taken(await acquire(a));
    await push('one');
    expect(await take(term, 'a', 'r1')).toEqual(['one']);
    await push('two');
    expect(await take(term, 'a', 'r2')).toEqual(['one', 'two']);
    expect(await take(term, 'a', 'r2')).toEqual(['one', 'two']);
    expect(await take(term, 'a', 'r3', 'r2')).toEqual([]);
  });

  test('a new leader takes what the old one took and did not confirm', async () => {
    const { term, renewals } = taken(await acquire(a));
    await push('one');
    await take(term, 'a', 'r1');
    const lease = taken(await takeOver(b, { term, renewals }));
    await push('two');
    expect(await take(lease.term, 'b', 'r2')).toEqual(['one', 'two']);
  });

  test('a new leader takes what the old one took last, also when that found nothing since', async () => {
    const { term, renewals } = taken(await acquire(a));
    await push('one');
    await take(term, 'a', 'r1');
    expect(await take(term, 'a', 'r2', 'r1')).toEqual([]);
    expect(await take(term, 'a', 'r3', 'r1')).toEqual([]);
    const lease = taken(await takeOver(b, { term, renewals }));
    expect(await take(lease.term, 'b', 'r4')).toEqual(['one']);
  });

  test('the inbox keeps the newest entries', async () => {
    const entries = Array.from({ length: maxInboxEntries + 5 }, (_, i) => String(i));
    const { term } = taken(await acquire(a));
    await push();
    await push('first');
    await push(...entries.slice(0, 500));
    await push(...entries.slice(500));
    expect(await take(term, 'a', 'r1')).toEqual(entries.slice(5));
  });

  test('a request fails at its deadline', async () => {
    store = await redis.connect('impatient');
    redis.hang();
    await expect(beat(a)).rejects.toThrow('Redis did not answer within 1000 ms');
  });

  test('closing fails what is open, once', async () => {
    redis.hang();
    const errors: unknown[] = [];
    store.beat({ info: a, beats: 1, isCandidate: true, highestTerm: 0 }, (error) =>
      errors.push(error?.message),
    );
    store.close();
    expect(errors).toEqual(['the connection to Redis was closed']);
    await expect(beat(a)).rejects.toThrow();
    expect(errors).toHaveLength(1);
  });
});
