import { expect, test } from '@jest/globals';
import type { ClusterStore, LeaseRecord } from '../../../../server/cluster/clusterStore.js';
import { infoOf } from '../../../support/infoOf.js';
import { Random } from '../../../worlds/random.js';
import { adapters, answer, type ClusterRedis } from './adapters.js';

const sequences = 40;
const requests = 80;
/** Above the time of Redis, so that terms do not depend on it. */
const farTerm = 9_000_000_000_000;

/** A Redis with all leases that were seen in it, in order. */
interface Side {
  readonly redis: ClusterRedis;
  readonly store: ClusterStore;
  readonly seen: LeaseRecord[];
}

/** One request, drawn once and made of each side with what that side has seen. */
type Request = (side: Side) => Promise<unknown>;

const ids = ['a', 'b', 'c'];

function draw(random: Random, count: number): Request {
  const [id, isActive] = [random.pick(ids) ?? 'a', random.chance(0.5)];
  const [which, highestTerm] = [random.between(0, 3), farTerm + random.between(0, 3) * 10];
  const requestId = `${id}.${random.chance(0.1) ? count - 1 : count}`;
  const info = infoOf(id, { viewers: count });
  const last = ({ seen }: Side) => seen.at(-1 - which) ?? seen.at(-1) ?? none;
  const requestsByName: Record<string, Request> = {
    beat: ({ redis, store }) => {
      const about = { info, beats: count, isCandidate: isActive, highestTerm: 0 };
      return answer(redis, (done) => store.beat(about, done));
    },
    tellTerm: ({ redis, store }) => {
      const about = { info, beats: count, isCandidate: isActive, highestTerm };
      return answer(redis, (done) => store.beat(about, done));
    },
    renew: (side) => {
      const lease = { term: last(side).term, isActive };
      const about = { info, beats: count, isCandidate: true, highestTerm: 0, lease };
      return answer(side.redis, (done) => side.store.beat(about, done));
    },
    acquire: (side) => {
      const ask = { info, seen: last(side), highestTerm, requestId };
      return answer(side.redis, (done) => side.store.acquire(ask, done));
    },
    release: (side) => {
      const { term } = last(side);
      const ask = { term, instance: id, isActive, wasForgotten: which > 1 };
      return answer(side.redis, (done) => side.store.release(ask, done));
    },
    leave: ({ redis, store }) => answer(redis, (done) => store.leave(id, done)),
    push: ({ redis, store }) => answer(redis, (done) => store.pushInbox([`entry ${count}`], done)),
    take: (side) => {
      const ask = { term: last(side).term, instance: id, requestId };
      const confirmed = isActive ? `${id}.${count - which}` : undefined;
      return answer(side.redis, (done) => side.store.takeInbox({ ...ask, confirmed }, done));
    },
    loseKeys: ({ redis }) => redis.loseKeys(),
  };
  const name = random.weighted({
    beat: 3,
    tellTerm: 1,
    renew: 3,
    acquire: 5,
    release: 3,
    leave: 1,
    push: 2,
    take: 3,
    loseKeys: 1,
  });
  return requestsByName[name] as Request;
}

const none: LeaseRecord = {
  term: 1,
  instance: undefined,
  isLost: true,
  url: '',
  protocol: 0,
  renewals: 1,
  isActive: false,
};

/** Makes the request, notes the leases in its answer, and leaves out what differs from run to run. */
async function outcome(side: Side, request: Request): Promise<string> {
  const result = await request(side).catch((error: Error) => ({
    error: error.message.slice(0, 9),
  }));
  return JSON.stringify(result ?? null, (key, value) => {
    if (key === 'beatAgoMs') return undefined;
    if (key === 'instances') return [...value].sort((one, two) => (one.id < two.id ? -1 : 1));
    if (typeof value?.renewals !== 'number') return value;
    side.seen.push(value);
    const { term, instance, renewals, isLost, isActive, url, serversUrl, protocol } = value;
    return [
      term,
      instance,
      isLost ? 'mark' : [renewals],
      isLost,
      isActive,
      url,
      serversUrl,
      protocol,
    ];
  });
}

test('the simulated Redis answers what a real one does, whatever it is asked', async () => {
  const sides: Side[] = [];
  for (const [, start] of adapters) {
    const redis = await start();
    sides.push({ redis, store: await redis.connect(), seen: [] });
  }
  const reached = { taken: 0, renewed: 0, refused: 0, entries: 0 };
  for (let seed = 1; seed <= sequences; seed += 1) {
    const random = new Random(seed);
    for (const { redis, seen } of sides) {
      await redis.loseKeys();
      seen.length = 0;
    }
    for (let count = 1; count <= requests; count += 1) {
      const request = draw(random, count);
      const outcomes: string[] = [];
      for (const side of sides) outcomes.push(await outcome(side, request));
      expect([seed, count, outcomes[1]]).toEqual([seed, count, outcomes[0]]);
      if (outcomes[0]?.startsWith('{"taken')) reached.taken += 1;
      if (outcomes[0]?.includes('"isRenewed":true')) reached.renewed += 1;
      if (outcomes[0]?.startsWith('{"refusedBy')) reached.refused += 1;
      if (outcomes[0]?.startsWith('["entry')) reached.entries += 1;
    }
  }
  for (const times of Object.values(reached)) expect(times).toBeGreaterThan(20);
});
