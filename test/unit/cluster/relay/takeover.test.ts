import { beforeEach, expect, test } from '@jest/globals';
import { idsOf, messagesOf, RelayStage, told } from '../../../support/relayStage.js';
import { ScriptedUpstream } from '../../../support/scriptedUpstream.js';

const takingOver = {
  state: 'active',
  complete: false,
  reason: 'servers_missing',
  detail: 'lingering',
  isTakeover: true,
} as const;
const activating = { ...takingOver, state: 'activating', detail: null };

let stage: RelayStage;
let leader: ScriptedUpstream;

beforeEach(() => {
  stage = new RelayStage();
  leader = new ScriptedUpstream(7);
  stage.follow(leader);
});

const join = (...args: Parameters<RelayStage['join']>) => stage.join(...args);

/** The leader of the next term. It answers when it is opened. */
function succeed(rooms: Record<string, number>, servers: object[] = []): ScriptedUpstream {
  const next = new ScriptedUpstream(8);
  next.onOpen = () => {
    next.beat();
    next.status(takingOver);
    next.snapshot(rooms, servers);
    next.status(activating);
  };
  stage.follow(next);
  return next;
}

/** Work in slices has its pauses by the clock; an encoded state is a promise. */
async function settleWork(): Promise<void> {
  stage.clock.advance(400);
  await new Promise(setImmediate);
}

test('the last numbers stay until a new leader has counted; then one difference leads over', () => {
  const [viewer, maps] = [join(), join('rooms')];
  leader.begin({ a: 1, b: 2, c: 3 });
  for (const one of [viewer, maps]) messagesOf(one);
  stage.follow(undefined);
  expect(told(viewer)).toEqual(['status no_leader for 0 ms']);
  stage.clock.advance(3000);
  const next = succeed({});
  expect(told(viewer)).toEqual([
    'status leader_lost for 3000 ms',
    'status leader_lost for 3000 ms',
  ]);
  next.changes({ a: 1 });
  next.changes({ b: 2, d: 4 });
  stage.beatFor(1000, next);
  expect([told(viewer), told(maps)]).toEqual([[], []]);
  next.status();
  expect(told(viewer)).toEqual(['changes {"d":4,"c":0}', 'status complete']);
  stage.clock.advance(60);
  expect(told(maps)).toEqual(['map {"a":1,"b":2,"d":4}']);
});

test('the numbers of a new leader are passed on once it is settled, complete or not', () => {
  const viewer = join();
  leader.begin({ a: 1, b: 2 });
  const next = succeed({ a: 1 });
  messagesOf(viewer);
  next.status({ complete: false, reason: 'servers_missing' });
  expect(told(viewer)).toEqual(['changes {"b":0}', 'status servers_missing']);
  next.changes({ a: 2 });
  expect(told(viewer)).toEqual(['changes {"a":2}']);
});

test('a server that was counted is given time for its first answer', () => {
  const viewer = join();
  const servers = (...states: string[]) => states.map((state, i) => ({ id: `server ${i}`, state }));
  leader.beat();
  leader.snapshot({ a: 1, b: 1 }, servers('live', 'stale', 'unreachable'));
  leader.status({ complete: false, reason: 'servers_missing' });
  const next = succeed({}, servers('unknown'));
  messagesOf(viewer);
  next.servers(servers('live', 'activating', 'unreachable'));
  next.changes({ a: 1 });
  next.status({ complete: false, reason: 'servers_missing' });
  expect(told(viewer)).toEqual(['status leader_lost for 0 ms']);
  next.servers(servers('live', 'live'));
  expect(told(viewer)).toEqual([]);
  next.changes({ b: 2 });
  const words = ['servers server 1 live', 'changes {"b":2}', 'status servers_missing'];
  expect(told(viewer)).toEqual(words);
});

test('a server without rooms is counted with the next beat', () => {
  const viewer = join();
  leader.beat();
  leader.snapshot({}, [{ id: 'server', state: 'live' }]);
  leader.status();
  const next = succeed({}, [{ id: 'server', state: 'activating' }]);
  next.status({ complete: false, reason: 'source_unanswered' });
  messagesOf(viewer);
  next.servers([{ id: 'server', state: 'live' }]);
  expect(told(viewer)).toEqual([]);
  next.beat();
  expect(told(viewer)).toEqual(['changes {}', 'status source_unanswered']);
});

test('counts that come in several events are shown together', async () => {
  const viewer = join();
  const many = (from: number, to: number) =>
    Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`room ${from + i}`, 1]));
  leader.begin({ x: 1 });
  const next = succeed({});
  next.status({ complete: false, reason: 'servers_missing', detail: null });
  messagesOf(viewer);
  stage.beatFor(4500, next);
  next.changes(many(0, 10_000));
  stage.beatFor(500, next);
  next.changes(many(10_000, 20_000));
  expect(told(viewer)).toEqual([]);
  next.changes(many(20_000, 20_001));
  await settleWork();
  expect(
    messagesOf(viewer)
      .join('')
      .match(/room \d+/g)?.length,
  ).toBe(20_001);
});

test('counts that only seem to be followed by others are shown after two beats', async () => {
  const viewer = join();
  leader.begin({ x: 1 });
  const next = succeed({});
  stage.beatFor(4500, next);
  messagesOf(viewer);
  next.changes(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`room ${i}`, 1])));
  stage.beatFor(500, next);
  expect(told(viewer)).toEqual([]);
  stage.beatFor(500, next);
  await settleWork();
  expect(
    messagesOf(viewer)
      .join('')
      .match(/room \d+/g)?.length,
  ).toBe(10_000);
});

test('a server that was counted and does not answer is given 5 s', () => {
  const viewer = join();
  leader.beat();
  leader.snapshot({ a: 1 }, [{ id: 'server', state: 'live' }]);
  leader.status();
  const next = succeed({}, [{ id: 'server', state: 'activating' }]);
  next.status({ complete: false, reason: 'servers_missing' });
  stage.beatFor(4500, next);
  messagesOf(viewer);
  stage.beatFor(500, next);
  expect(told(viewer)).toEqual([
    'servers server activating',
    'changes {"a":0}',
    'status servers_missing',
  ]);
});

test('who has newer numbers than the last ones keeps them until there are newer ones', () => {
  const first = join();
  leader.begin({ a: 1 });
  messagesOf(first);
  stage.follow(undefined);
  const ahead = join('changes', '7.1-1');
  const other = join('changes', '8.1-0');
  const behind = join('changes', '7.0-9');
  const gone = join('changes', '8.1-0');
  expect(stage.relay.viewers).toBe(5);
  stage.leave(gone);
  expect([told(ahead), told(other)]).toEqual([
    ['status no_leader for 0 ms'],
    ['status no_leader for 0 ms'],
  ]);
  expect(told(behind)).toEqual(['status no_leader for 0 ms', 'snapshot {"a":1}']);
  expect(stage.relay.viewers).toBe(4);
  stage.follow(leader);
  leader.beat();
  leader.resumed();
  leader.changes({ a: 2 });
  expect(told(ahead)).toEqual(['status leader_lost for 0 ms']);
  leader.status();
  expect(told(ahead)).toEqual(['status complete']);
  expect(told(other)).toEqual([
    'status leader_lost for 0 ms',
    'snapshot {"a":2}',
    'status complete',
  ]);
  leader.changes({ a: 3 });
  expect(told(ahead)).toEqual(['changes {"a":3}']);
  stage.leave(other);
  stage.leave(ahead);
  expect(stage.relay.viewers).toBe(2);
});

test('the last numbers stay 5 s at most', () => {
  const viewer = join();
  leader.begin({ a: 1, b: 2 });
  const next = succeed({ a: 1 });
  stage.beatFor(4500, next);
  messagesOf(viewer);
  stage.clock.advance(500);
  expect(told(viewer)).toEqual(['changes {"b":0}', 'status servers_missing']);
});

test('a cut does not make them stay longer', () => {
  const viewer = join();
  leader.begin({ a: 1, b: 2 });
  const next = succeed({ a: 1 });
  stage.beatFor(3000, next);
  next.end();
  stage.beatFor(3000, next);
  expect(next.openings.length).toBe(2);
  expect(told(viewer).at(-2)).toBe('changes {"b":0}');
});

test('a third leader is given 5 s of its own', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  stage.beatFor(4000, succeed({}));
  const third = new ScriptedUpstream(9);
  stage.follow(third);
  third.beat();
  third.status(takingOver);
  third.snapshot({});
  messagesOf(viewer);
  stage.beatFor(4500, third);
  expect(messagesOf(viewer)).toEqual([]);
  third.changes({ a: 1 });
  third.status();
  expect(told(viewer)).toEqual(['changes {}', 'status complete']);
});

test('after 5 s without all counts, the next leader is given as much', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  stage.beatFor(5000, succeed({ b: 1 }));
  messagesOf(viewer);
  const third = new ScriptedUpstream(9);
  stage.follow(third);
  third.beat();
  third.status(takingOver);
  third.snapshot({});
  expect(told(viewer).every((word) => word.startsWith('status leader_lost'))).toBe(true);
  third.end();
  stage.clock.advance(50);
  third.begin({ b: 1 });
  expect(told(viewer).slice(-2)).toEqual(['changes {}', 'status complete']);
});

test('servers are led over too', () => {
  const viewer = join();
  leader.beat();
  leader.snapshot({}, [
    { id: 'one', state: 'live' },
    { id: 'other', state: 'live' },
    { id: 'lost', state: 'live' },
  ]);
  leader.status();
  const next = succeed({}, [
    { id: 'one', state: 'activating' },
    { id: 'other', state: 'live' },
  ]);
  messagesOf(viewer);
  next.servers([{ id: 'one', state: 'silent' }]);
  next.status();
  expect(told(viewer)).toEqual(['servers one silent,lost gone', 'status complete']);
});

test('who looks for the first time during a takeover waits until numbers are counted', () => {
  const [viewer, maps] = [join(), join('rooms')];
  stage.follow(undefined);
  const next = succeed({});
  next.changes({ a: 1 });
  const words = [...told(viewer), ...told(maps)];
  expect(words.filter((word) => !/^status (no_leader|leader_lost)$/.test(word))).toEqual([]);
  next.changes({ b: 1 });
  next.status();
  expect(told(viewer)).toEqual(['snapshot {"a":1,"b":1}', 'status complete']);
  expect(told(maps)).toEqual(['map {"a":1,"b":1}']);
});

test('who looks for the first time during a takeover does not miss a server that is late', () => {
  const viewer = join();
  const next = succeed({ a: 1 });
  next.status({ complete: false, reason: 'servers_missing', isTakeover: true });
  next.changes({ b: 1 });
  expect(told(viewer).every((word) => word.startsWith('status'))).toBe(true);
  next.status({ complete: false, reason: 'servers_missing' });
  expect(told(viewer)).toEqual(['status servers_missing', 'snapshot {"a":1,"b":1}']);
});

test('who looks for the first time at a leader that begins sees it begin, as without a cluster', () => {
  const viewer = join();
  leader.beat();
  leader.status({ ...activating, isTakeover: false });
  leader.snapshot({});
  leader.changes({ a: 1 });
  expect(told(viewer)).toEqual(['status servers_missing', 'snapshot {}', 'changes {"a":1}']);
});

test('a viewer that comes during a takeover gets the last numbers, with their age', () => {
  const first = join();
  leader.begin({ a: 1 });
  messagesOf(first);
  const next = succeed({});
  stage.beatFor(1000, next);
  expect(told(join())).toEqual(['status leader_lost for 1000 ms', 'snapshot {"a":1}']);
  expect(told(join('rooms'))).toEqual(['map {"a":1}']);
});

test('a viewer resumes across a change of leader', () => {
  join();
  leader.begin({ a: 1 });
  leader.changes({ a: 2 });
  const next = succeed({ a: 2 });
  next.status();
  next.changes({ a: 3 });
  const resumed = join('changes', '7.1-1');
  const messages = resumed.frames.join('').split('\n\n').filter(Boolean);
  expect(told(resumed)).toEqual(['changes {}', 'changes {"a":3}', 'status complete']);
  expect(idsOf(messages)).toEqual(['8.1-0', '8.1-1', '']);
  expect(next.openings).toEqual([undefined]);
  expect(told(join('changes', '8.1-0'))).toEqual(['changes {"a":3}', 'status complete']);
});

test('only the last event of a difference has an id', async () => {
  const viewer = join();
  leader.begin(Object.fromEntries(Array.from({ length: 25_000 }, (_, i) => [`room ${i}`, 1])));
  await settleWork();
  const next = succeed({}, [{ id: 's', state: 'live' }]);
  await settleWork();
  messagesOf(viewer);
  next.status();
  await settleWork();
  expect(idsOf(messagesOf(viewer))).toEqual(['', '', '', '8.1-0', '']);
});

test('a difference that is too large is a snapshot', async () => {
  const viewer = join();
  leader.begin(Object.fromEntries(Array.from({ length: 50_001 }, (_, i) => [`room ${i}`, 1])));
  await settleWork();
  stage.follow(undefined);
  const ahead = join('changes', '8.1-9');
  const next = succeed({ a: 1 });
  await settleWork();
  messagesOf(viewer);
  next.status();
  await settleWork();
  expect(told(viewer)).toEqual(['snapshot {"a":1}', 'status complete']);
  expect(told(ahead).slice(-2)).toEqual(['snapshot {"a":1}', 'status complete']);
});

test('an earlier leader is ignored', () => {
  const viewer = join();
  const next = new ScriptedUpstream(8);
  stage.follow(next);
  next.begin({ a: 1 });
  messagesOf(viewer);
  stage.follow(leader);
  leader.begin({ a: 9 });
  expect(told(viewer)).toEqual([]);
  expect([next.isOpen, stage.relay.status().term]).toEqual([true, 8]);
});

test('without a leader, the last numbers get older', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  messagesOf(viewer);
  stage.follow(undefined);
  stage.clock.advance(7000);
  expect(told(join())).toEqual(['status no_leader for 7000 ms', 'snapshot {"a":1}']);
  expect(told(viewer)).toEqual(['status no_leader for 0 ms']);
  expect(stage.relay.status()).toMatchObject({ state: 'lost', term: null });
});

test('without a leader and without numbers, a viewer is told so', () => {
  stage.follow(undefined);
  const viewer = join();
  expect(told(viewer)).toEqual(['status no_leader']);
  expect(told(join('rooms'))).toEqual([]);
});

test('another URL of the same leader is no change of leader', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  messagesOf(viewer);
  const moved = new ScriptedUpstream(7);
  stage.follow(moved);
  expect(moved.openings).toEqual(['7.1-0']);
  moved.beat();
  moved.resumed();
  moved.status();
  expect(told(viewer)).toEqual(['status leader_lost for 0 ms', 'status complete']);
});

test('who comes back in time resumes, and the leader is asked for what was missed', () => {
  const first = join();
  leader.begin({ a: 1 });
  stage.leave(first);
  stage.clock.advance(9000);
  const second = join('changes', '7.1-0');
  expect(leader.openings).toEqual([undefined, '7.1-0']);
  expect(told(second)).toEqual([]);
  leader.beat();
  leader.resumed();
  leader.changes({ a: 2 });
  leader.status();
  expect(told(second)).toEqual(['changes {"a":2}', 'status complete']);
  stage.beatFor(2000, leader);
  expect(told(join())).toEqual(['snapshot {"a":2}', 'status complete']);
});

test('who comes back to another leader that has counted gets what differs', () => {
  const first = join();
  leader.begin({ a: 1, b: 1 });
  stage.leave(first);
  const next = new ScriptedUpstream(8);
  stage.follow(next);
  const second = join('changes', '7.1-0');
  next.begin({ a: 2, b: 1 });
  expect(told(second)).toEqual(['changes {"a":2}', 'status complete']);
});

test('who comes back to a leader that has started over gets its numbers only', () => {
  const first = join();
  leader.begin({ a: 1 });
  stage.leave(first);
  const [second, maps] = [join(), join('rooms')];
  leader.activation = 2;
  leader.beat();
  leader.status({ ...activating, isTakeover: false });
  leader.snapshot({});
  expect(told(second)).toEqual(['status servers_missing', 'snapshot {}']);
  expect(told(maps)).toEqual(['map {}']);
});

test('who comes back gets the last numbers if the leader does not answer for a second', () => {
  const first = join();
  leader.begin({ a: 1 });
  stage.leave(first);
  const [second, maps] = [join(), join('rooms')];
  stage.clock.advance(999);
  expect([told(second), told(maps)]).toEqual([[], []]);
  stage.clock.advance(1);
  expect(told(second)).toEqual(['status leader_lost for 1000 ms', 'snapshot {"a":1}']);
  expect(told(maps)).toEqual(['map {"a":1}']);
});

test('the numbers are dropped a linger time after the last viewer', () => {
  const first = join();
  leader.begin({ a: 1 });
  stage.leave(first);
  stage.clock.advance(10_000);
  stage.follow(undefined);
  expect(told(join())).toEqual(['status no_leader']);
});

test('viewers that saw numbers while the stream was cut do not see a leader start over', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  leader.end();
  stage.clock.advance(50);
  leader.activation = 2;
  leader.beat();
  leader.status({ ...activating, isTakeover: false });
  leader.snapshot({});
  messagesOf(viewer);
  leader.changes({ a: 1 });
  expect(told(viewer)).toEqual([]);
  leader.status();
  expect(told(viewer)).toEqual(['changes {}', 'status complete']);
});
