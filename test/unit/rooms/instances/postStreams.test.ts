import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ServerId } from '../../../../machines/ports.js';
import { RoomPosts } from '../../../../server/pubsub/roomPosts.js';
import { PostStreams } from '../../../../server/rooms/instances/postStreams.js';
import { FakeViewer } from '../../../support/fakeViewer.js';
import { notedEvents } from '../../../support/notedEvents.js';
import { HeapClock } from '../../machines/heapClock.js';

const [one, two] = ['10.0.0.1:8001', '10.0.0.2:8001'] as [ServerId, ServerId];

let told: [ServerId, readonly string[]][];
let posts: RoomPosts;
let streams: PostStreams;

/** An instance at the end of a stream. */
class FakeInstance extends FakeViewer {
  /** The names of the events since the last call. */
  names(): (string | undefined)[] {
    return this.frames.splice(0).map((frame) => /^event: (.*)$/m.exec(frame)?.[1]);
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  told = [];
  posts = new RoomPosts({
    send: async (server, rooms) => void told.push([server, [...rooms]]),
    isAble: () => true,
    requestTimeoutMs: 2000,
    onFailed: () => undefined,
    clock: new HeapClock(),
  });
  streams = new PostStreams({ channels: posts, posts });
});
afterEach(() => {
  streams.close();
  posts.close();
});

function watch(room: string): FakeInstance {
  const instance = new FakeInstance();
  streams.add(instance.viewer, room);
  return instance;
}

test('another instance has the servers post a room, and gets what they post', async () => {
  const instance = watch('a');
  posts.noteDeltas(one, [{ room: 'a', add: 1 }]);
  await settle();
  expect(told).toEqual([[one, ['a']]]);
  posts.take(one, [
    { room: 'a', update: 'AQI=' },
    { room: 'a', awareness: 'Aw==' },
    { room: 'a', lost: true },
  ]);
  expect(instance.frames.splice(0)).toEqual([
    `event: subscribed\nid: 1\ndata: {"servers":["${one}"]}\n\n`,
    'event: update\ndata: AQI=\n\n',
    'event: awareness\ndata: Aw==\n\n',
    'event: dropped\ndata: {}\n\n',
  ]);
});

test('servers post a room as long as any instance follows it, the leader itself among them', async () => {
  const [first, second] = [watch('a'), watch('a')];
  const own = posts.follow('a', notedEvents().events);
  own.note([one]);
  await settle();
  first.leave();
  own.end();
  await settle();
  expect(told).toEqual([[one, ['a']]]);
  second.leave();
  await settle();
  expect(told.at(-1)).toEqual([one, []]);
});

test('an instance that comes later is told at once how the room stands', async () => {
  const own = notedEvents();
  posts.follow('a', own.events).note([one]);
  await settle();
  expect(watch('a').names()).toEqual(['subscribed']);
  expect(own.take()).toEqual([`followed ${one}`]);
  posts.follow('b', own.events).note([]);
  expect(watch('b').names()).toEqual(['missing']);
});

test('an instance that does not read fast enough loses the room, and has it again once it has read', async () => {
  const instance = watch('a');
  posts.noteDeltas(one, [{ room: 'a', add: 1 }]);
  await settle();
  expect(instance.names()).toEqual(['subscribed']);
  instance.isReading = false;
  posts.take(one, [{ room: 'a', update: 'AQI=' }]);
  posts.take(one, [{ room: 'a', update: 'AQI=' }]);
  instance.isReading = true;
  posts.take(one, [{ room: 'a', update: 'AQI=' }]);
  expect(instance.names()).toEqual([]);
  instance.drain();
  expect(instance.names()).toEqual(['lost', 'subscribed']);
  posts.take(one, [{ room: 'a', update: 'AQI=' }]);
  expect(instance.names()).toEqual(['update']);
});

test('a round of another instance finds servers, and forgets those that do not hold the room', async () => {
  const instance = watch('a');
  posts.noteDeltas(one, [{ room: 'a', add: 1 }]);
  await settle();
  const notes = posts.get('a')?.notes ?? 0;
  const answers = new Map([[two, 'holds'] as const, [one, 'denies'] as const]);
  streams.endRound('a', answers, notes);
  await settle();
  expect(told.slice(1)).toEqual([
    [one, []],
    [two, ['a']],
  ]);
  expect(instance.names()).toEqual(['subscribed', 'subscribed']);
});

test('a round forgets no server that the leader noted after the round began', async () => {
  watch('a');
  posts.noteDeltas(one, [{ room: 'a', add: 1 }]);
  await settle();
  const notes = posts.get('a')?.notes ?? 0;
  posts.noteDeltas(two, [{ room: 'a', add: 1 }]);
  streams.endRound('a', new Map([[one, 'holds']]), notes);
  await settle();
  expect(posts.get('a')?.isHeldBy(two)).toBe(true);
  streams.endRound('a', new Map([[one, 'holds']]), posts.get('a')?.notes ?? 0);
  expect(posts.get('a')?.isHeldBy(two)).toBe(false);
});

test('two that follow a room do not forget what the round of the other found', async () => {
  const [first, second] = [1, 2].map(() => posts.follow('a', notedEvents().events));
  first?.beginRound();
  second?.beginRound();
  first?.endRound(new Map([[one, 'holds']]));
  second?.endRound(new Map([[two, 'holds']]));
  expect([one, two].map((server) => posts.get('a')?.isHeldBy(server))).toEqual([true, true]);
});

test('at the end of a leadership streams end, and no server is told', async () => {
  const instance = watch('a');
  posts.noteDeltas(one, [{ room: 'a', add: 1 }]);
  await settle();
  posts.close();
  streams.close();
  instance.leave();
  await settle();
  expect([instance.isEnded, told]).toEqual([true, [[one, ['a']]]]);
});
