import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import type { Post } from '../../../machines/tally.js';
import { type Batch, DeltaInbox } from '../../../server/pubsub/deltaInbox.js';

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
  jest.useRealTimers();
});

const post = (...rooms: string[]): Post => ({
  server: 's:1' as ServerId,
  epoch: 1 as Epoch,
  fromStartup: false,
  deltas: rooms.map((room) => ({ room, add: 1 })),
});
const roomsOf = (posts: readonly Post[]) =>
  posts.flatMap(({ deltas }) => deltas.map(({ room }) => room));

test('the first deltas are delivered at once, the following ones soon after, together and in order', () => {
  const delivered: string[][] = [];
  const inbox = new DeltaInbox((posts) => delivered.push(roomsOf(posts)));
  inbox.put(post('a', 'b'));
  jest.advanceTimersByTime(0);
  expect(delivered).toEqual([['a', 'b']]);
  inbox.put(post('c'));
  jest.advanceTimersByTime(1);
  inbox.put(post('d'));
  expect(delivered).toHaveLength(1);
  jest.advanceTimersByTime(5);
  expect(delivered).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('delivered posts are released at once, even if the event is still held', () => {
  const held: (readonly Post[])[] = [];
  const inbox = new DeltaInbox((posts) => held.push(posts));
  inbox.put(post('a'));
  jest.advanceTimersByTime(0);
  expect(held).toEqual([[]]);
});

test('a batch tells how many deltas it has, and when the first of them came', () => {
  const batches: Batch[] = [];
  const inbox = new DeltaInbox((_, batch) => batches.push(batch));
  inbox.put(post('a'));
  jest.advanceTimersByTime(1);
  inbox.put(post('b', 'c'));
  jest.advanceTimersByTime(2);
  inbox.put(post('d'));
  jest.advanceTimersByTime(10);
  expect(batches).toEqual([
    { deltas: 1, sinceMs: 0 },
    { deltas: 3, sinceMs: 1 },
  ]);
});

test('nothing is delivered without posts, or after close', () => {
  const delivered: unknown[] = [];
  const inbox = new DeltaInbox((posts) => delivered.push(posts));
  inbox.put(post());
  jest.advanceTimersByTime(100);
  inbox.put(post('a'));
  inbox.close();
  jest.advanceTimersByTime(100);
  expect(delivered).toEqual([]);
});

test('a full batch is delivered without waiting, and nothing twice', () => {
  const delivered: string[][] = [];
  const inbox = new DeltaInbox((posts) => delivered.push(roomsOf(posts)));
  const rooms = Array.from({ length: 400 }, (_, i) => `room-${i}`);
  for (let i = 0; i < 3; i += 1) inbox.put(post(...rooms));
  expect(delivered).toEqual([[...rooms, ...rooms, ...rooms]]);
  jest.advanceTimersByTime(100);
  expect(delivered).toHaveLength(1);
  inbox.put(post('after'));
  jest.advanceTimersByTime(100);
  expect(delivered.slice(1)).toEqual([['after']]);
});
