import { beforeEach, expect, test } from '@jest/globals';
import type { ServerId } from '../../../../machines/ports.js';
import type { FollowedRoom } from '../../../../server/pubsub/postedRoom.js';
import { RemoteChannels } from '../../../../server/rooms/instances/remoteChannels.js';
import { FakeLeaderLink } from '../../../support/fakeLeaderLink.js';
import { notedEvents } from '../../../support/notedEvents.js';
import { HeapClock } from '../../machines/heapClock.js';

const [one, two] = ['10.0.0.1:8001', '10.0.0.2:8001'] as [ServerId, ServerId];

let clock: HeapClock;
let link: FakeLeaderLink;
let take: () => string[];
let room: FollowedRoom;

const receive = (name: string, data: string, id = '') => link.last.onEvent({ name, id, data });
const subscribe = (servers: ServerId[], notes: number) =>
  receive('subscribed', JSON.stringify({ servers }), String(notes));

beforeEach(() => {
  clock = new HeapClock();
  link = new FakeLeaderLink();
  const noted = notedEvents();
  take = noted.take;
  room = new RemoteChannels(link, clock).follow('a b/ü', noted.events);
});

test('a room is followed by a stream of its own', () => {
  expect(link.last.path).toBe('/api/instances/rooms/posts?room=a+b%2F%C3%BC');
  link.last.onOpen?.();
  expect(take()).toEqual([]);
  subscribe([one, two], 3);
  receive('update', 'AQI=');
  receive('awareness', 'Aw==');
  receive('dropped', '{}');
  receive('lost', '{}');
  receive('missing', '{}');
  receive('beat', '{}', '3');
  expect(take()).toEqual([
    `followed ${one},${two}`,
    'update 1,2',
    'awareness 3',
    'dropped',
    'lost',
    'missing',
  ]);
});

test('the servers that post it are asked in the next round, and only in that', () => {
  link.last.onOpen?.();
  subscribe([one], 1);
  expect(room.takeJustFollowed()).toEqual([one]);
  expect(room.takeJustFollowed()).toEqual([]);
});

test('the leader is told what a round found, and what it knew when the round began', () => {
  link.last.onOpen?.();
  subscribe([one], 4);
  receive('beat', '{}', '5');
  room.beginRound();
  receive('beat', '{}', '9');
  room.endRound(
    new Map([
      [one, 'holds'],
      [two, 'denies'],
    ]),
  );
  const answers = [
    [one, 'holds'],
    [two, 'denies'],
  ];
  expect(link.told).toEqual([
    ['/api/instances/rooms/rounds', { room: 'a b/ü', notes: 5, answers }],
  ]);
});

test('a round that began before the stream was open tells the leader nothing', () => {
  room.beginRound();
  link.last.onOpen?.();
  room.endRound(new Map([[one, 'denies']]));
  // One that began with another stream knew other notes.
  room.beginRound();
  link.last.onEnd('ended');
  clock.advance(250);
  link.last.onOpen?.();
  room.endRound(new Map([[one, 'denies']]));
  expect(link.told).toEqual([]);
});

test('a round that begins before the first beat of a new stream knows no notes of the last one', () => {
  link.last.onOpen?.();
  receive('beat', '{}', '50');
  link.last.onEnd('ended');
  clock.advance(250);
  link.last.onOpen?.();
  room.beginRound();
  room.endRound(new Map([[one, 'denies']]));
  const answers = [[one, 'denies']];
  expect(link.told).toEqual([
    ['/api/instances/rooms/rounds', { room: 'a b/ü', notes: 0, answers }],
  ]);
});

test('a stream that ends loses the room, and is opened again with growing pauses', () => {
  link.last.onOpen?.();
  subscribe([one], 1);
  take();
  link.last.onEnd('the stream ended');
  expect(take()).toEqual(['lost']);
  const pauses: number[] = [];
  for (let failures = 0; failures < 7; failures += 1) {
    const [beganMs, opened] = [clock.nowMs, link.streams.length];
    while (link.streams.length === opened && clock.nowMs < beganMs + 10_000) clock.advance(50);
    pauses.push(clock.nowMs - beganMs);
    link.last.onEnd('answered 503');
  }
  expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000]);
});

test('a room that ends because it is lost is not followed again', () => {
  const { events } = notedEvents();
  const ending = new RemoteChannels(link, clock).follow('b', {
    ...events,
    onLost: () => ending.end(),
  });
  link.last.onEnd('ended');
  expect(clock.pending).toBe(0);
});

test('a room that is no longer followed closes its stream, also while it waits for the next', () => {
  room.end();
  expect(link.last.isClosed).toBe(true);
  const other = new RemoteChannels(link, clock).follow('b', notedEvents().events);
  link.last.onEnd('ended');
  other.end();
  clock.advance(60_000);
  expect([link.streams.length, clock.pending]).toEqual([2, 0]);
});
