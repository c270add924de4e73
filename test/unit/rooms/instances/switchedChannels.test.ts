import { expect, test } from '@jest/globals';
import type { ServerId } from '../../../../machines/ports.js';
import type { PostedRoomEvents } from '../../../../server/pubsub/postedRoom.js';
import { SwitchedChannels } from '../../../../server/rooms/instances/switchedChannels.js';
import { noChannels, type RoomChannels } from '../../../../server/rooms/watching/roomChannels.js';
import { notedEvents } from '../../../support/notedEvents.js';

const one = '10.0.0.1:8001' as ServerId;

/** Channels that a test speaks for; what they were asked for. */
function fakeChannels() {
  const followed: { room: string; events: PostedRoomEvents }[] = [];
  const asked: string[] = [];
  const channels: RoomChannels = {
    follow: (room, events) => {
      followed.push({ room, events });
      return {
        beginRound: () => asked.push('begin'),
        endRound: (answers) => asked.push(`end ${[...answers.values()]}`),
        takeJustFollowed: () => [one],
        end: () => asked.push('left'),
      };
    },
  };
  const last = () => {
    const events = followed.at(-1)?.events;
    if (!events) throw new Error('no room is followed');
    return events;
  };
  return { channels, followed, asked, last };
}

test('followed rooms are lost with their leader, and followed again with the next', () => {
  const [first, second] = [fakeChannels(), fakeChannels()];
  const switched = new SwitchedChannels(first.channels);
  const { events, take } = notedEvents();
  switched.follow('a', events);
  first.last().onFollowed([one]);
  expect(take()).toEqual([`followed ${one}`]);
  switched.use(second.channels);
  expect([take(), first.asked, second.followed.length]).toEqual([['lost'], ['left'], 1]);
  second.last().onFollowed([one]);
  expect(take()).toEqual([`followed ${one}`]);
});

test('the earlier leader tells nothing', () => {
  const [first, second] = [fakeChannels(), fakeChannels()];
  const switched = new SwitchedChannels(first.channels);
  const { events, take } = notedEvents();
  const room = switched.follow('a', events);
  const old = first.last();
  switched.use(second.channels);
  take();
  old.onFollowed([one]);
  old.onUpdate(Uint8Array.of(1));
  old.onLost();
  expect(take()).toEqual([]);
  room.end();
  second.last().onFollowed([one]);
  expect([take(), second.asked]).toEqual([[], ['left']]);
});

test('a room is told only once that it is lost', () => {
  const switched = new SwitchedChannels(noChannels);
  const { events, take } = notedEvents();
  switched.follow('a', events);
  switched.use(noChannels);
  expect(take()).toEqual(['lost']);
});

test('rounds are told to the channels of the moment', () => {
  const [first, second] = [fakeChannels(), fakeChannels()];
  const switched = new SwitchedChannels(first.channels);
  const room = switched.follow('a', notedEvents().events);
  switched.use(second.channels);
  room.beginRound();
  room.endRound(new Map([[one, 'holds']]));
  expect(room.takeJustFollowed()).toEqual([one]);
  expect([first.asked, second.asked]).toEqual([['left'], ['begin', 'end holds']]);
});

test('a room that ended is not followed at the next leader', () => {
  const [first, second] = [fakeChannels(), fakeChannels()];
  const switched = new SwitchedChannels(first.channels);
  switched.follow('a', notedEvents().events).end();
  switched.use(second.channels);
  expect(second.followed).toEqual([]);
});
