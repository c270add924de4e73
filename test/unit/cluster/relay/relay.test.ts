import { beforeEach, expect, test } from '@jest/globals';
import { idsOf, messagesOf, RelayStage, told } from '../../../support/relayStage.js';
import { ScriptedUpstream, upstreamEvent } from '../../../support/scriptedUpstream.js';

let stage: RelayStage;
let leader: ScriptedUpstream;

beforeEach(() => {
  stage = new RelayStage();
  leader = new ScriptedUpstream(7);
  stage.follow(leader);
});

const join = (...args: Parameters<RelayStage['join']>) => stage.join(...args);

test('follows the leader only while somebody looks', () => {
  expect(leader.isOpen).toBe(false);
  const [one, other] = [join(), join('rooms')];
  expect(leader.openings.length).toBe(1);
  stage.leave(one);
  expect(leader.isOpen).toBe(true);
  stage.leave(other);
  expect(leader.isOpen).toBe(false);
  stage.leave(other);
  expect([stage.relay.viewers, stage.relay.status().state]).toEqual([0, 'closed']);
});

test('a new viewer gets the numbers, then good news', () => {
  const first = join();
  leader.begin({ a: 1, b: 2 });
  expect(told(first)).toEqual(['snapshot {"a":1,"b":2}', 'status complete']);
  expect(told(join())).toEqual(['snapshot {"a":1,"b":2}', 'status complete']);
  expect(told(join('rooms'))).toEqual(['map {"a":1,"b":2}']);
});

test('a new viewer gets bad news before the numbers', () => {
  const viewer = join();
  leader.begin({ a: 1 }, { complete: false, reason: 'servers_missing' });
  expect(told(viewer)).toEqual(['status servers_missing', 'snapshot {"a":1}']);
});

test('passes frames on as they are', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  messagesOf(viewer);
  const { frame } = upstreamEvent(
    'changes',
    '{"version":1,"rooms":{"a":2,"__proto__":3}}',
    '7.1-1',
  );
  leader.version = 1;
  leader.send('changes', '{"version":1,"rooms":{"a":2,"__proto__":3}}');
  expect(viewer.frames.splice(0)).toEqual([String(frame)]);
  expect(told(join())).toEqual(['snapshot {"a":2,"__proto__":3}', 'status complete']);
});

test('passes activity on to viewers of changes, between the same numbers', () => {
  const [changes, maps] = [join(), join('rooms')];
  leader.begin({ a: 1 });
  for (const viewer of [changes, maps]) messagesOf(viewer);
  leader.send('activity', '{"events":[]}');
  leader.changes({ a: 2 });
  expect(told(changes)).toEqual(['activity ', 'changes {"a":2}']);
  expect(told(maps)).toEqual([]);
});

test('forgets rooms that are empty, and servers that are gone', () => {
  join();
  leader.begin({ a: 1, b: 1 });
  leader.changes({ a: 0 });
  leader.servers([{ id: 's', state: 'live' }]);
  leader.servers([{ id: 's', state: 'gone' }]);
  const [snapshot = ''] = messagesOf(join());
  expect(snapshot).toContain('"version":3,"servers":[],"rooms":{"b":1}}');
  expect(snapshot).toContain('id: 7.1-3\n');
});

test('good news of the leader comes after its numbers, bad news before', () => {
  const viewer = join();
  leader.begin({}, { complete: false, reason: 'servers_missing' });
  messagesOf(viewer);
  leader.changes({ a: 1 });
  leader.status();
  leader.status({ complete: false, reason: 'snapshot_due' });
  leader.changes({ a: 0 });
  const words = ['changes {"a":1}', 'status complete', 'status snapshot_due', 'changes {"a":0}'];
  expect(told(viewer)).toEqual(words);
});

test('says nothing twice', () => {
  const viewer = join();
  leader.begin({});
  messagesOf(viewer);
  leader.status();
  stage.beatFor(10_000, leader);
  expect(told(viewer)).toEqual([]);
});

test('says complete only while the leader beats', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  messagesOf(viewer);
  stage.clock.advance(1999);
  expect(told(viewer)).toEqual([]);
  stage.clock.advance(1);
  expect(told(viewer)).toEqual(['status leader_lost for 2000 ms']);
  expect(told(join())).toEqual(['status leader_lost for 2000 ms', 'snapshot {"a":1}']);
  leader.beat();
  expect(told(viewer)).toEqual(['status complete']);
});

test('looks at both clocks before it passes numbers on', () => {
  for (const offset of ['wallOffsetMs', 'monotonicOffsetMs'] as const) {
    const viewer = join();
    leader.begin({});
    messagesOf(viewer);
    stage.clock[offset] += 2000;
    leader.changes({ a: 1 });
    expect(told(viewer)).toEqual(['status leader_lost for 2000 ms', 'changes {"a":1}']);
    leader.version = 0;
    stage.leave(viewer);
    stage.clock.advance(10_000);
  }
});

test('does not believe the beats of another term', () => {
  const viewer = join();
  leader.begin({});
  messagesOf(viewer);
  stage.clock.advance(1500);
  leader.beat(6);
  leader.beat(8);
  stage.clock.advance(500);
  expect(told(viewer)).toEqual(['status leader_lost for 2000 ms']);
});

test('does not say complete before the first beat', () => {
  const viewer = join();
  leader.snapshot({ a: 1 });
  leader.status();
  expect(told(viewer)).toEqual(['status leader_lost', 'snapshot {"a":1}']);
});

test('resumes after a cut, and viewers get only what they missed', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  leader.changes({ a: 2 });
  messagesOf(viewer);
  leader.end();
  expect(told(viewer)).toEqual(['status leader_lost for 0 ms']);
  stage.clock.advance(50);
  expect(leader.openings).toEqual([undefined, '7.1-1']);
  leader.beat();
  leader.resumed();
  leader.changes({ a: 3 });
  expect(told(viewer)).toEqual(['changes {"a":3}']);
  leader.status();
  expect(told(viewer)).toEqual(['status complete']);
  expect(stage.endings).toEqual(['cut']);
});

test('does not say complete before the first beat after a cut', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  leader.end();
  stage.clock.advance(50);
  messagesOf(viewer);
  leader.resumed();
  leader.status();
  expect(told(viewer)).toEqual([]);
  leader.beat();
  expect(told(viewer)).toEqual(['status complete']);
});

test('an upstream that is replaced while it is opened is closed', () => {
  leader.onOpen = () => stage.follow(undefined);
  join();
  expect([leader.openings.length, leader.isOpen]).toEqual([1, false]);
});

test('leads over by a difference if it cannot resume', () => {
  const viewer = join();
  leader.begin({ a: 1, b: 1, c: 1 });
  messagesOf(viewer);
  leader.end();
  stage.clock.advance(50);
  leader.version = 40;
  leader.begin({ a: 1, b: 2 }, { complete: false, reason: 'servers_missing', detail: null });
  expect(told(viewer)).toEqual([
    'status leader_lost for 0 ms',
    'changes {"b":2,"c":0}',
    'status servers_missing',
  ]);
});

test('opens a stream again with growing pauses', () => {
  join();
  const pausesMs: number[] = [];
  for (let i = 0; i < 6; i += 1) {
    leader.end();
    const cutAt = stage.clock.monotonicMs();
    while (!leader.isOpen) stage.clock.advance(10);
    pausesMs.push(stage.clock.monotonicMs() - cutAt);
  }
  expect(pausesMs).toEqual([50, 100, 200, 400, 500, 500]);
  leader.beat();
  leader.end();
  stage.clock.advance(50);
  expect(leader.isOpen).toBe(true);
});

test('opens a stream again that is silent, but not one that is slow', () => {
  join();
  leader.begin({});
  for (let i = 0; i < 20; i += 1) {
    stage.clock.advance(1000);
    leader.progress();
  }
  expect(leader.openings.length).toBe(1);
  stage.clock.advance(6000);
  expect(leader.openings).toEqual([undefined, '7.1-0']);
  expect(stage.endings).toEqual(['silent for 5000 ms']);
});

test('does not go on after a gap: it begins with a snapshot', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  messagesOf(viewer);
  leader.version = 5;
  leader.changes({ a: 2 });
  expect(stage.endings).toEqual(['7.1-6 came after 7.1-0']);
  stage.clock.advance(50);
  expect(leader.openings).toEqual([undefined, undefined]);
  leader.begin({ a: 3 });
  const words = ['status leader_lost for 0 ms', 'changes {"a":3}', 'status complete'];
  expect(told(viewer)).toEqual(words);
});

test('does not go on over a restart without a snapshot', () => {
  join();
  leader.begin({ a: 1 });
  leader.activation = 2;
  leader.changes({ a: 2 });
  expect(stage.endings).toEqual(['7.2-1 came after 7.1-0']);
});

test('does not take numbers of another term, or what is no JSON', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  messagesOf(viewer);
  leader.send('changes', { version: 1, rooms: {} }, '6.1-1');
  stage.clock.advance(50);
  leader.send('changes', '{', '7.1-1');
  stage.clock.advance(100);
  leader.changes({ a: 1 });
  expect(stage.endings).toEqual([
    '6.1-1 is of another term',
    expect.stringContaining('JSON'),
    '7.1-1 came before a snapshot',
  ]);
  expect(told(viewer)).toEqual(['status leader_lost for 0 ms']);
});

test('a restart of the leader is shown, as without a cluster', () => {
  const [viewer, maps] = [join(), join('rooms')];
  leader.begin({ a: 1 });
  for (const one of [viewer, maps]) messagesOf(one);
  leader.activation = 2;
  leader.status({ state: 'deactivating', complete: false, reason: 'not_counting', detail: null });
  leader.snapshot({});
  expect(told(viewer)).toEqual(['status not_counting', 'status not_counting', 'snapshot {}']);
  expect(told(maps)).toEqual(['map {}']);
});

test('a viewer that does not read gets the whole state later', () => {
  const viewer = join();
  leader.begin({ a: 1 });
  messagesOf(viewer);
  viewer.isReading = false;
  leader.changes({ a: 2 });
  leader.changes({ a: 3 });
  viewer.drain();
  expect(told(viewer)).toEqual(['snapshot {"a":3}', 'status complete']);
});

test('a viewer resumes after any event id of the leader', () => {
  join();
  leader.begin({});
  for (let count = 1; count < 4; count += 1) leader.changes({ a: count });
  expect(told(join('changes', '7.1-1'))).toEqual([
    'changes {"a":2}',
    'changes {"a":3}',
    'status complete',
  ]);
  expect(told(join('changes', '7.1-3'))).toEqual(['status complete']);
  for (const unknown of ['7.1-9', '6.1-2', '7.2-1', 'x', ''])
    expect(told(join('changes', unknown))).toEqual(['snapshot {"a":3}', 'status complete']);
});

test('maps follow the changes, at most one in a frame interval', () => {
  const maps = join('rooms');
  leader.begin({});
  leader.changes({ a: 1 });
  stage.clock.advance(1);
  leader.changes({ a: 2 });
  leader.changes({ b: 1 });
  stage.clock.advance(60);
  expect(told(maps)).toEqual(['map {}', 'map {"a":1}', 'map {"a":2,"b":1}']);
});

test('keeps event ids of the leader', () => {
  const viewer = join();
  leader.version = 12;
  leader.begin({ a: 1 });
  leader.changes({ a: 2 });
  expect(idsOf(messagesOf(viewer))).toEqual(['7.1-12', '', '7.1-13']);
});

test('ends all streams when it is closed', () => {
  const viewers = [join(), join('rooms')];
  stage.relay.close();
  expect(viewers.map(({ isEnded }) => isEnded)).toEqual([true, true]);
  expect(leader.isOpen).toBe(false);
  stage.follow(new ScriptedUpstream(8));
  for (const viewer of viewers) stage.leave(viewer);
  expect(stage.clock.pending).toBe(0);
});
