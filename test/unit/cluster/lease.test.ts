import { beforeEach, describe, expect, test } from '@jest/globals';
import { infoOf } from '../../support/infoOf.js';
import { beatMs, ClusterWorld, leaseMs, type TestInstance } from './clusterWorld.js';

const stepDownMs = (leaseMs * 2) / 3;
/** A request and its answer, and the steps of the world. */
const slackMs = 50;

let world: ClusterWorld;
beforeEach(() => {
  world = new ClusterWorld();
});
const holds = (instance: { lease: { isHeldNow(): boolean } }) => instance.lease.isHeldNow();

describe('taking the lease', () => {
  test('a first instance leads after a lease time, with a term of the time of Redis', () => {
    const a = world.start('a');
    const tookMs = world.advanceUntil(() => holds(a));
    expect(tookMs).toBeGreaterThanOrEqual(leaseMs);
    expect(tookMs).toBeLessThanOrEqual(leaseMs + slackMs);
    expect(a.types).toEqual(['leader.gone', 'lease.taken']);
    expect(a.events[1]).toMatchObject({ wasActive: false, term: a.lease.current().term });
    expect(a.lease.current().term).toBeGreaterThan(Date.UTC(2026, 0, 1));
  });

  test('of several, one leads, and the others see it', () => {
    const [a, b, c] = [
      world.start('a'),
      world.start('b', { serversUrl: 'https://b' }),
      world.start('c'),
    ];
    world.advance(leaseMs + 2 * beatMs);
    expect(world.leaders()).toHaveLength(1);
    const { leader } = a.lease;
    expect(leader).toEqual({
      instance: world.leaders()[0],
      url: `http://${world.leaders()[0]}`,
      term: a.lease.current().term,
      serversUrl: leader?.instance === 'b' ? 'https://b' : undefined,
      isActive: false,
    });
    for (const each of [b, c]) expect(each.lease.leader).toEqual(leader);
  });

  test('an instance that does not campaign does not lead', () => {
    const a = world.start('a', {}, false);
    world.advance(3 * leaseMs);
    expect(a.types).toEqual(['leader.gone']);
    a.lease.campaign();
    world.advanceUntil(() => holds(a));
  });

  test('an instance that starts sees the leader, and does not disturb it', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    world.advance(60_000);
    expect(a.types).toEqual(['leader.gone', 'lease.taken']);
    expect(b.events).toEqual([{ type: 'leader.seen', leader: a.lease.leader }]);
  });

  test('a campaign while another instance leads is answered with it', () => {
    world.startLeader('a');
    const b = world.start('b');
    world.advance(beatMs);
    b.lease.campaign();
    world.advance(10_000);
    expect(b.types).toEqual(['leader.seen', 'leader.seen']);
  });

  test('an election that begins later is told who leads', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    world.advance(beatMs);
    const told: unknown[] = [];
    b.lease.elect((event) => told.push(event));
    expect(told).toEqual([{ type: 'leader.seen', leader: a.lease.leader }]);
  });

  test('a lease that is released while it is being taken is given back', () => {
    const a = world.start('a');
    while (!world.redis.lease?.instance) world.time.advance(1);
    a.lease.release();
    world.advance(leaseMs);
    expect(a.types).toEqual(['leader.gone', 'lease.lost']);
    expect(world.redis.lease).toMatchObject({ instance: undefined, isLost: false });
  });

  test('a taking whose answer is lost is repeated, with a new term and without waiting', () => {
    const a = world.start('a');
    while (!world.redis.lease?.instance) world.time.advance(1);
    a.isDeaf = true;
    const { term = 0 } = world.redis.lease ?? {};
    world.advance(beatMs / 2);
    a.isDeaf = false;
    expect(world.advanceUntil(() => holds(a))).toBeLessThan(2 * beatMs + slackMs);
    expect(a.lease.current().term).toBeGreaterThan(term);
  });
});

describe('a leader that dies', () => {
  test('is replaced when its lease has not changed for a lease time', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    a.lease.setActive(true);
    world.advance(10_000);
    a.lease.close();
    const tookMs = world.advanceUntil(() => holds(b));
    expect(tookMs).toBeGreaterThan(leaseMs - beatMs);
    expect(tookMs).toBeLessThanOrEqual(leaseMs + slackMs);
    expect(b.types.slice(-3)).toEqual(['leader.seen', 'leader.gone', 'lease.taken']);
    expect(b.events.at(-1)).toMatchObject({ wasActive: true });
    expect(b.lease.current().term).toBeGreaterThan(a.lease.current().term);
  });

  test.each([24 * 60 * 60 * 1000, -24 * 60 * 60 * 1000])(
    'is replaced after the same time when the clock of Redis jumps by %s ms',
    (jumpMs) => {
      const a = world.startLeader('a');
      const b = world.start('b');
      world.advance(10_000);
      world.redis.timeOffsetMs += jumpMs;
      a.lease.close();
      const tookMs = world.advanceUntil(() => holds(b));
      expect(tookMs).toBeGreaterThan(leaseMs - beatMs);
      expect(tookMs).toBeLessThanOrEqual(leaseMs + slackMs);
    },
  );

  test('the clock of Redis may jump without any effect on a leader that lives', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    for (const jumpMs of [1e9, -3e9, 2e9]) {
      world.advance(5000);
      world.redis.timeOffsetMs += jumpMs;
    }
    world.advance(5000);
    expect(a.types).toEqual(['leader.gone', 'lease.taken']);
    expect(b.types).toEqual(['leader.seen']);
  });

  test('an instance that was told of it a moment ago waits a full lease time', () => {
    const a = world.startLeader('a');
    a.lease.close();
    world.advance(60_000);
    const b = world.start('b');
    expect(world.advanceUntil(() => holds(b))).toBeGreaterThanOrEqual(leaseMs);
  });
});

describe('giving the lease back', () => {
  test('another instance that saw it held leads with its next beat', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    world.advance(2 * beatMs);
    a.lease.setActive(true);
    a.isVoter = false;
    a.lease.release();
    expect(a.types.at(-1)).toBe('lease.lost');
    expect(holds(a)).toBe(false);
    expect(world.advanceUntil(() => holds(b))).toBeLessThanOrEqual(beatMs + slackMs);
    expect(b.events.at(-1)).toMatchObject({ type: 'lease.taken', wasActive: true });
  });

  test('who looks at once leads at once', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    world.advance(2.3 * beatMs);
    a.isVoter = false;
    a.lease.release();
    b.lease.beatNow();
    expect(world.advanceUntil(() => holds(b))).toBeLessThanOrEqual(150);
  });

  test('an instance that did not see it held waits a lease time', () => {
    const a = world.startLeader('a');
    a.lease.release();
    a.lease.close();
    world.advance(beatMs);
    const b = world.start('b');
    expect(world.advanceUntil(() => holds(b))).toBeGreaterThanOrEqual(leaseMs);
  });

  test('who backs off leaves the lease to another one', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    world.advance(2 * beatMs);
    a.lease.release(60_000);
    world.advanceUntil(() => holds(b));
    world.advance(beatMs);
    b.lease.release(1000);
    world.advance(5000);
    expect(world.leaders()).toEqual(['b']);
  });

  test('who backs off leads when nobody else would', () => {
    const a = world.startLeader('a');
    a.lease.release(60_000);
    expect(world.advanceUntil(() => holds(a))).toBeLessThanOrEqual(2 * beatMs + slackMs);
  });

  test('of two that back off, one leads', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    world.advance(2 * beatMs);
    b.lease.release(60_000);
    a.lease.release(60_000);
    expect(world.advanceUntil(() => world.leaders().length > 0)).toBeLessThan(3 * beatMs);
  });

  test('a release without the lease is answered as well', () => {
    const a = world.start('a');
    a.lease.release();
    expect(a.types).toEqual(['lease.lost']);
  });
});

describe('stepping down', () => {
  test('a leader that is cut off steps down two thirds of a lease time after its last good renewal was sent', () => {
    const a = world.startLeader('a');
    world.start('b');
    world.advance(10_000);
    const { beats = 0 } = world.redis.beat(observed).instances.find(({ id }) => id === 'a') ?? {};
    world.advanceUntil(() => beatsOf('a') > beats);
    a.isCutOff = true;
    const tookMs = world.advanceUntil(() => a.types.includes('lease.lost'));
    expect(tookMs).toBeGreaterThan(stepDownMs - slackMs);
    expect(tookMs).toBeLessThanOrEqual(stepDownMs + 10);
    expect(a.events.at(-1)).toEqual({
      type: 'lease.lost',
      cause: 'no renewal succeeded for 2000 ms',
    });
    world.advanceUntil(() => world.leaders().includes('b'));
    expect(a.types.slice(2)).toEqual(['lease.lost', 'redis.lost']);
  });

  test('renewals whose answers are lost do not count', () => {
    const a = world.startLeader('a');
    a.isDeaf = true;
    const tookMs = world.advanceUntil(() => !a.lease.current().isHeld);
    expect(tookMs).toBeLessThanOrEqual(stepDownMs + slackMs);
  });

  test('a wall clock that goes on while the machine sleeps ends the lease', () => {
    const a = world.startLeader('a');
    world.advance(10 * beatMs);
    a.clock.wallOffsetMs += stepDownMs;
    expect(holds(a)).toBe(false);
    world.advance(10);
    expect(a.types.at(-1)).toBe('lease.lost');
  });

  test.each([-3_600_000, -501, 501])('a wall clock that is set by %i ms ends the lease', (ms) => {
    const a = world.startLeader('a');
    world.advance(10 * beatMs);
    a.clock.wallOffsetMs += ms;
    expect(holds(a)).toBe(false);
    world.advance(10);
    expect(a.events.at(-1)).toEqual({
      type: 'lease.lost',
      cause: 'a clock of this machine was set, or stood still',
    });
  });

  test.each([-490, 490])('a wall clock that is set by %i ms does not end it', (ms) => {
    const a = world.startLeader('a');
    world.advance(10 * beatMs);
    a.clock.wallOffsetMs += ms;
    expect(holds(a)).toBe(true);
    world.advance(3 * beatMs);
    expect(holds(a)).toBe(true);
  });

  test('a leader that is cut off may act until its lease ends', () => {
    const a = world.startLeader('a');
    a.isCutOff = true;
    world.advance(beatMs);
    expect(a.lease.isHeldNow()).toBe(true);
    world.time.advance(2 * beatMs);
    expect(a.lease.isHeldNow()).toBe(false);
  });

  test('the election hears of it before anything is asked of Redis', () => {
    const a = world.startLeader('a');
    const seen: unknown[] = [];
    a.lease.elect(() => seen.push([a.lease.current().isHeld, world.redis.lease?.instance]));
    a.lease.release();
    expect(seen[0]).toEqual([false, 'a']);
  });

  test('a process that stood still for longer than its lease has lost it when it goes on', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    world.advance(2 * beatMs);
    a.pause();
    world.advance(10_000);
    expect(world.leaders()).toEqual(['b']);
    a.resume();
    expect(a.lease.current().isHeld).toBe(false);
    expect(a.events.at(-1)).toEqual({
      type: 'lease.lost',
      cause: 'the event loop of this instance stood still',
    });
    world.advance(beatMs + slackMs);
    expect(a.lease.leader).toEqual(b.lease.leader);
    expect(b.types.at(-1)).toBe('lease.taken');
  });
});

describe('back-off', () => {
  test('who lost the lease by a blocked loop does not campaign while another one would', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    const c = world.start('c', {}, false);
    world.advance(2 * beatMs);
    a.pause();
    world.advanceUntil(() => holds(b));
    a.resume();
    world.advance(4 * beatMs);
    b.isVoter = false;
    b.lease.release();
    world.advance(5 * beatMs);
    expect(world.leaders()).toEqual([]);
    c.lease.close();
    b.lease.close();
    expect(world.advanceUntil(() => holds(a))).toBeLessThan(2 * leaseMs);
  });

  test('it does not back off if it is alone', () => {
    const a = world.startLeader('a');
    a.pause();
    world.advance(2500);
    a.resume();
    expect(world.advanceUntil(() => holds(a))).toBeLessThanOrEqual(leaseMs + 2 * beatMs + slackMs);
  });

  test('who reaches no server leaves the lease to one that may', () => {
    const a = world.start('a', { reachesServers: false });
    const b = world.start('b');
    world.advanceUntil(() => world.leaders().length > 0);
    expect(holds(b)).toBe(true);
    b.lease.close();
    world.advanceUntil(() => holds(a));
  });

  test('of instances that reach no server, one leads', () => {
    world.start('a', { reachesServers: false });
    world.start('b', { reachesServers: false });
    world.advanceUntil(() => world.leaders().length > 0);
  });
});

describe('versions', () => {
  test('an older protocol hands over to a newer one', () => {
    const a = world.startLeader('a');
    const b = world.start('b', { protocol: 2 });
    expect(world.advanceUntil(() => holds(b))).toBeLessThanOrEqual(3 * beatMs + slackMs);
    expect(a.events.find(({ type }) => type === 'lease.lost')).toEqual({
      type: 'lease.lost',
      cause: 'an instance with a newer protocol is there',
    });
    world.advance(60_000);
    expect(world.leaders()).toEqual(['b']);
  });

  test('it does not campaign while a newer one is there', () => {
    world.start('b', { protocol: 2 }, false);
    const a = world.start('a');
    world.advance(10_000);
    expect(a.types).toEqual(['leader.gone']);
  });

  test('it leads again when the newer ones are gone', () => {
    const a = world.startLeader('a');
    const b = world.start('b', { protocol: 2 });
    world.advanceUntil(() => holds(b));
    b.lease.close();
    world.advanceUntil(() => holds(a));
  });

  test('it keeps the lease while the newer one reaches no server', () => {
    const a = world.startLeader('a');
    world.start('b', { protocol: 2, reachesServers: false });
    world.advance(60_000);
    expect(a.types).toEqual(['leader.gone', 'lease.taken']);
  });
});

describe('what Redis loses', () => {
  test('a lease that Redis lost is given up with the next beat, and taken again with a higher term', () => {
    const a = world.startLeader('a');
    world.start('b');
    a.lease.setActive(true);
    world.advance(10_000);
    const { term } = a.lease.current();
    world.redis.loseKeys();
    world.redis.timeOffsetMs -= 3_600_000;
    world.advanceUntil(() => a.types.includes('lease.lost'));
    expect(a.events).toContainEqual({ type: 'lease.lost', cause: 'Redis lost the lease' });
    expect(world.advanceUntil(() => world.leaders().length > 0)).toBeLessThanOrEqual(2 * beatMs);
    const [leader] = world.instances.filter(holds);
    expect(leader?.lease.current().term).toBeGreaterThan(term);
    expect(leader?.events.at(-1)).toMatchObject({ type: 'lease.taken', wasActive: true });
  });

  test('whether the servers post is remembered by those who saw it', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    a.lease.setActive(true);
    world.advance(2 * beatMs);
    a.lease.close();
    world.redis.loseKeys();
    world.advanceUntil(() => holds(b));
    expect(b.events.at(-1)).toMatchObject({ type: 'lease.taken', wasActive: true });
  });

  test('an instance that starts at that moment does not take it at once', () => {
    world.startLeader('a');
    world.advance(beatMs / 2);
    world.redis.loseKeys();
    const b = world.start('b');
    world.advance(leaseMs - slackMs);
    expect(holds(b)).toBe(false);
  });

  test('a leader whose term Redis forgot is replaced with a higher term', () => {
    const [a, b] = [world.startLeader('a'), world.start('b')];
    world.advance(2 * beatMs);
    world.redis.replicate();
    a.lease.close();
    world.advanceUntil(() => holds(b));
    const { term } = b.lease.current();
    const c = world.start('c');
    world.advance(2 * beatMs);
    world.redis.timeOffsetMs -= 3_600_000;
    world.redis.loseTail();
    world.advanceUntil(() => !b.lease.current().isHeld);
    world.advanceUntil(() => world.leaders().length > 0);
    world.advance(2 * beatMs);
    for (const { lease } of [b, c]) expect(lease.current().term).toBeGreaterThan(term);
  });

  test('nobody leads with a term below one that any instance has seen', () => {
    const [a, b] = [world.startLeader('a'), world.start('b')];
    world.advance(2.5 * beatMs);
    const { term } = a.lease.current();
    b.isCutOff = true;
    a.lease.close();
    world.redis.loseKeys();
    world.redis.timeOffsetMs -= 3_600_000;
    const c = world.startLeader('c');
    expect(c.lease.current().term).toBeLessThan(term);
    b.isCutOff = false;
    world.advanceUntil(() => c.types.includes('lease.lost'));
    world.advanceUntil(() => world.leaders().length > 0);
    world.advance(2 * beatMs);
    for (const { lease } of [b, c]) expect(lease.current().term).toBeGreaterThan(term);
    expect(b.lease.leader).toEqual(c.lease.leader);
  });
});

describe('a replica that shows again what was replaced meanwhile', () => {
  /** Another instance leads, and Redis forgets that a moment after its last beat. */
  function forgetAnother(returning: TestInstance) {
    world.redis.replicate();
    returning.isCutOff = true;
    world.advance(beatMs / 2);
    world.startLeader('c');
    const beats = beatsOf('c');
    world.advanceUntil(() => beatsOf('c') > beats);
    world.redis.loseTail();
    returning.isCutOff = false;
    // Here two would lead.
    world.advance(2 * beatMs);
    world.advanceUntil(() => world.leaders().length > 0);
  }

  test('is not mistaken for a lease that did not change', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    world.advance(beatMs);
    a.lease.close();
    world.advance(beatMs);
    forgetAnother(b);
  });

  test.each([
    ['by an instance that alone has seen it', false],
    ['while another instance knows of a higher term', true],
  ])('is not mistaken for a release %s', (_, isKnown) => {
    const a = world.startLeader('a');
    const b = world.start('b', {}, false);
    world.advance(beatMs);
    a.isVoter = false;
    a.lease.release();
    world.advance(10);
    if (!isKnown) a.lease.close();
    b.isVoter = true;
    forgetAnother(b);
  });

  test('is not mistaken for a taking whose answer was lost', () => {
    const a = world.startLeader('a');
    world.advance(beatMs);
    forgetAnother(a);
  });
});

describe('Redis away', () => {
  test('is told after two beats, and its return, with the leader', () => {
    const a = world.startLeader('a');
    const b = world.start('b', {}, false);
    world.advance(2 * beatMs);
    world.redis.isDown = true;
    world.advance(10_000);
    expect(a.types.slice(2)).toEqual(['lease.lost', 'redis.lost']);
    expect(b.types).toEqual(['leader.seen', 'redis.lost']);
    expect(b.lease.isRedisLost).toBe(true);
    world.redis.isDown = false;
    world.advance(beatMs + slackMs);
    expect(b.types.slice(2, 4)).toEqual(['redis.answered', 'leader.seen']);
    expect(b.lease.isRedisLost).toBe(false);
    world.advanceUntil(() => holds(a));
  });

  test('a campaign is answered with it', () => {
    world.redis.isDown = true;
    const a = world.start('a');
    world.advance(10_000);
    a.lease.campaign();
    expect(a.types).toEqual(['redis.lost', 'redis.lost']);
    world.redis.isDown = false;
    world.advanceUntil(() => holds(a));
    expect(a.types.slice(2)).toEqual(['redis.answered', 'leader.gone', 'lease.taken']);
  });

  test('a single beat that is lost is nothing', () => {
    const a = world.startLeader('a');
    a.isDeaf = true;
    world.advance(beatMs);
    a.isDeaf = false;
    world.advance(10_000);
    expect(a.types).toEqual(['leader.gone', 'lease.taken']);
  });
});

describe('what is asked of a lease', () => {
  test('a renewal on request is shared by those who ask while it is under way', () => {
    const a = world.startLeader('a');
    world.advance(beatMs / 2);
    const before = beatsOf('a');
    const answers: boolean[] = [];
    for (const _ of [1, 2, 3]) a.lease.renew((isRenewed) => answers.push(isRenewed));
    world.advance(10);
    expect(answers).toEqual([true, true, true]);
    expect(beatsOf('a')).toBe(before + 1);
  });

  test('after a renewal it is known who has left', () => {
    const leader = world.startLeader('a');
    const other = world.start('b');
    world.advance(2 * beatMs);
    const isOtherThere = () =>
      leader.lease.instances.some(({ id, isThere }) => id === 'b' && isThere);
    expect(isOtherThere()).toBe(true);
    let seen: boolean | undefined;
    other.lease.leave(() =>
      leader.lease.renew(() => {
        seen = isOtherThere();
      }),
    );
    world.advance(slackMs);
    expect(seen).toBe(false);
  });

  test('a renewal fails without the lease, and when another instance took it', () => {
    const a = world.startLeader('a');
    const b = world.start('b', {}, false);
    const answers: boolean[] = [];
    b.lease.renew((isRenewed) => answers.push(isRenewed));
    world.redis.loseKeys();
    a.lease.renew((isRenewed) => answers.push(isRenewed));
    world.advance(10);
    expect(answers).toEqual([false, false]);
  });

  test('a renewal fails when Redis does not answer', () => {
    const a = world.startLeader('a');
    a.isDeaf = true;
    const answers: boolean[] = [];
    a.lease.renew((isRenewed) => answers.push(isRenewed));
    world.advance(1000 + slackMs);
    expect(answers).toEqual([false]);
  });

  test('a renewal whose answer is read too late fails', () => {
    const a = world.startLeader('a');
    const answers: boolean[] = [];
    a.lease.renew((isRenewed) => answers.push(isRenewed));
    a.pause();
    world.advance(10_000);
    a.resume();
    expect(answers).toEqual([false]);
  });

  test('whether the servers post is told at once', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    world.advance(beatMs);
    a.lease.setActive(true);
    world.advance(10);
    expect(world.redis.lease?.isActive).toBe(true);
    world.advance(beatMs);
    expect(b.events.at(-1)).toMatchObject({ type: 'leader.seen', leader: { isActive: true } });
  });

  test('what others put into the inbox is taken once', () => {
    const a = world.startLeader('a');
    const b = world.start('b');
    const lengths: number[] = [];
    a.lease.onBeat(({ inboxLength }) => lengths.push(inboxLength));
    b.lease.pushInbox(['one', 'two']);
    world.advance(beatMs + slackMs);
    expect(lengths).toContain(2);
    const taken: unknown[] = [];
    const take = (instance: typeof a) =>
      instance.lease.takeInbox((error, entries) => taken.push(error?.message ?? entries));
    take(a);
    world.advance(10);
    take(a);
    take(b);
    world.advance(10);
    expect(taken).toEqual([['one', 'two'], 'this instance does not lead', []]);
  });

  test('instances are known by their beats, and leave', () => {
    const a = world.startLeader('a');
    const b = world.start('b', { viewers: 5 });
    world.advance(2 * beatMs);
    const statusOf = (id: string) => a.lease.instances.find((each) => each.id === id);
    expect(statusOf('b')).toMatchObject({ viewers: 5, isThere: true, isCandidate: true });
    b.isCutOff = true;
    world.advance(leaseMs + beatMs);
    expect(statusOf('b')).toMatchObject({ isThere: false });
    b.isCutOff = false;
    world.advance(2 * beatMs);
    expect(statusOf('b')).toMatchObject({ isThere: true });
    b.lease.leave(() => {});
    world.advance(2 * beatMs);
    expect(statusOf('b')).toBeUndefined();
  });

  test('an instance that died before this one started is not there', () => {
    const a = world.startLeader('a');
    a.lease.close();
    world.advance(10_000);
    const b = world.start('b', {}, false);
    world.advance(10);
    expect(b.lease.instances.find(({ id }) => id === 'a')).toMatchObject({ isThere: false });
  });

  test('a lease that is closed calls nobody', () => {
    const a = world.startLeader('a');
    a.lease.onBeat(() => a.types.push('beat'));
    a.lease.close();
    world.redis.loseKeys();
    world.advance(10_000);
    expect(a.types).toEqual(['leader.gone', 'lease.taken']);
  });
});

const observed = { info: infoOf('observer'), beats: 0, isCandidate: false, highestTerm: 0 };

/** How often an instance has beaten. */
const beatsOf = (id: string): number =>
  world.redis.beat(observed).instances.find((each) => each.id === id)?.beats ?? 0;
