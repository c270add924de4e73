import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { messagesOf, RelayStage, told } from '../../../support/relayStage.js';
import { ScriptedUpstream } from '../../../support/scriptedUpstream.js';

const rooms = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`room ${i}`, 1]));

let stage: RelayStage;
let leader: ScriptedUpstream;

beforeEach(() => {
  // Each look at the clock takes so long that a fleet of this size is handled in slices.
  let nowMs = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => {
    nowMs += 2;
    return nowMs;
  });
  stage = new RelayStage();
  leader = new ScriptedUpstream(7);
  stage.follow(leader);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** Lets work in slices end; an encoded state is a promise. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i += 1) {
    stage.clock.advance(400);
    leader.beat();
    await new Promise(setImmediate);
  }
}

test('what comes while a snapshot is read is applied afterwards', async () => {
  const viewer = stage.join();
  leader.begin(rooms);
  leader.changes({ 'room 1': 5 });
  expect(messagesOf(viewer)).toEqual([]);
  await settle();
  const messages = messagesOf(viewer).join('');
  expect(messages).toContain('"room 1":5');
  expect(messages).toContain('"complete":true');
  expect(messages).toContain('"room 19999":1');
});

test('a viewer that comes while the map is encoded gets what changes meanwhile', async () => {
  stage.join();
  leader.begin(rooms);
  await settle();
  leader.changes(Object.fromEntries(Object.keys(rooms).map((room) => [room, 2])));
  const late = stage.join();
  leader.changes({ 'room 1': 5 });
  expect(messagesOf(late)).toEqual([]);
  await settle();
  const words = told(late);
  expect(words.slice(1)).toEqual(['changes {"room 1":5}', 'status complete']);
  expect(words[0]).toMatch(/^snapshot .*"room 2":2/);
});

test('a snapshot that is cut while it is read is forgotten', async () => {
  const viewer = stage.join();
  leader.begin(rooms);
  leader.end();
  stage.clock.advance(50);
  leader.begin({ a: 1 });
  await settle();
  expect(told(viewer).filter((word) => word.startsWith('snapshot'))).toEqual(['snapshot {"a":1}']);
});

test('a snapshot that is cut before it is shown is never shown', async () => {
  const seen = new Set<boolean>();
  for (let ms = 0; ms < 600; ms += 40) {
    stage = new RelayStage();
    leader = new ScriptedUpstream(7);
    stage.follow(leader);
    const viewer = stage.join();
    leader.begin(rooms);
    stage.clock.advance(ms);
    const isShown = stage.relay.status().state === 'live';
    leader.end();
    await settle();
    expect(told(viewer).some((word) => word.startsWith('snapshot'))).toBe(isShown);
    seen.add(isShown);
  }
  expect(seen.size).toBe(2);
});
