import { describe, expect, test } from '@jest/globals';
import { LocalUpdates } from '../../../../server/rooms/instances/localUpdates.js';
import { RemoteUpdates } from '../../../../server/rooms/instances/remoteUpdates.js';
import { SwitchedUpdates } from '../../../../server/rooms/instances/switchedUpdates.js';
import { UpdateStreams } from '../../../../server/rooms/instances/updateStreams.js';
import { noUpdates, type UpdatesEvents } from '../../../../server/rooms/watching/updatesSource.js';
import { FakeLeaderLink } from '../../../support/fakeLeaderLink.js';
import { FakeViewer } from '../../../support/fakeViewer.js';
import { HeapClock } from '../../machines/heapClock.js';

function noted() {
  const told: string[] = [];
  const events: UpdatesEvents = {
    onAsked: () => told.push('asked'),
    onUpdate: (room, update) => told.push(`${room} ${update.join()}`),
    onLost: () => told.push('lost'),
  };
  return { events, take: () => told.splice(0) };
}

/** The updates of a leader, and when its servers are asked for them. */
function local() {
  const wanted: boolean[] = [];
  return { updates: new LocalUpdates((isWanted) => wanted.push(isWanted)), wanted };
}

test('servers are asked for updates from the first follower until the last one leaves', () => {
  const { updates, wanted } = local();
  const [first, second] = [noted(), noted()];
  const leave = updates.follow(first.events);
  const leaveToo = updates.follow(second.events);
  updates.take('a', Uint8Array.of(1));
  leave();
  leave();
  expect(wanted).toEqual([true]);
  leaveToo();
  expect([wanted, first.take(), second.take()]).toEqual([
    [true, false],
    ['asked', 'a 1'],
    ['asked', 'a 1'],
  ]);
});

test('at the end of a leadership servers are not told that nobody follows updates', () => {
  const { updates, wanted } = local();
  const { events, take } = noted();
  const leave = updates.follow(events);
  updates.close();
  leave();
  updates.take('a', Uint8Array.of(1));
  expect([wanted, take()]).toEqual([[true], ['asked']]);
});

test('followers change over to the next leader', () => {
  const [first, second] = [local(), local()];
  const switched = new SwitchedUpdates(noUpdates);
  const { events, take } = noted();
  const leave = switched.follow(events);
  expect(take()).toEqual(['lost']);
  switched.use(first.updates);
  first.updates.take('a', Uint8Array.of(1));
  switched.use(second.updates);
  first.updates.take('a', Uint8Array.of(2));
  second.updates.take('a', Uint8Array.of(3));
  expect(take()).toEqual(['lost', 'asked', 'a 1', 'lost', 'asked', 'a 3']);
  leave();
  switched.use(first.updates);
  expect([first.wanted, second.wanted]).toEqual([
    [true, false],
    [true, false],
  ]);
});

describe('streams to other instances', () => {
  test('are one follower together, and carry every update', () => {
    const { updates, wanted } = local();
    const streams = new UpdateStreams(updates);
    const [first, second] = [new FakeViewer(), new FakeViewer()];
    for (const each of [first, second]) streams.add(each.viewer);
    updates.take('ä"', Uint8Array.of(1, 2));
    first.leave();
    updates.take('b', Uint8Array.of(3));
    expect(wanted).toEqual([true]);
    second.leave();
    expect(wanted).toEqual([true, false]);
    expect(first.take()).toEqual([
      ['beat', {}],
      ['update', { room: 'ä"', update: 'AQI=' }],
    ]);
    expect(second.take().at(-1)).toEqual(['update', { room: 'b', update: 'Aw==' }]);
  });

  test('tell an instance that missed updates', () => {
    const { updates } = local();
    const streams = new UpdateStreams(updates);
    const instance = new FakeViewer();
    streams.add(instance.viewer);
    instance.isReading = false;
    updates.take('a', Uint8Array.of(1));
    instance.drain();
    expect(instance.take()).toEqual([
      ['beat', {}],
      ['lost', {}],
    ]);
    streams.close();
    expect(instance.isEnded).toBe(true);
  });
});

test('a follower of the leader gets its updates, and knows when some are missing', () => {
  const [link, clock] = [new FakeLeaderLink(), new HeapClock()];
  const { events, take } = noted();
  const leave = new RemoteUpdates(link, clock).follow(events);
  expect([link.last.path, take()]).toEqual(['/api/instances/updates', []]);
  const receive = (name: string, data: object) =>
    link.last.onEvent({ name, id: '', data: JSON.stringify(data) });
  link.last.onOpen?.();
  receive('beat', {});
  receive('update', { room: 'ä"', update: 'AQI=' });
  receive('lost', {});
  link.last.onEnd('the stream ended');
  clock.advance(250);
  link.last.onOpen?.();
  expect(take()).toEqual(['asked', 'ä" 1,2', 'lost', 'asked', 'lost', 'asked']);
  leave();
  expect([link.last.isClosed, link.streams.length]).toEqual([true, 2]);
});
