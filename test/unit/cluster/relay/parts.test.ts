import { afterEach, expect, jest, test } from '@jest/globals';
import { Difference } from '../../../../server/cluster/relay/difference.js';
import type { Fleet } from '../../../../server/cluster/relay/fleet.js';
import { RelayHistory } from '../../../../server/cluster/relay/relayHistory.js';
import { eachOf, SlicedWork } from '../../../../server/cluster/relay/slicedWork.js';
import { Snapshot } from '../../../../server/cluster/relay/snapshot.js';
import { HandClock } from '../../../support/handClock.js';
import { upstreamEvent } from '../../../support/scriptedUpstream.js';

afterEach(() => {
  jest.restoreAllMocks();
});

const untilEnd = Number.POSITIVE_INFINITY;

test('a snapshot is read whatever the names of rooms and servers', () => {
  const name = ',"rooms":{"x":1}';
  const json = `{"version":3,"servers":[{"id":${JSON.stringify(name)},"rooms":2}],"rooms":{"__proto__":1,${JSON.stringify(name)}:2,"":3}}`;
  const snapshot = new Snapshot(upstreamEvent('snapshot', json, '7.1-3'));
  expect(snapshot.step(untilEnd)).toBe(true);
  const fleet = snapshot.fleet();
  expect(fleet.rooms).toEqual(
    new Map([
      ['__proto__', 1],
      [name, 2],
      ['', 3],
    ]),
  );
  expect([...fleet.servers.keys()]).toEqual([name]);
  expect(fleet.position).toEqual({ version: 3, id: '7.1-3' });
});

test.each(['{"version":3,"servers":[]}', '{"version":3,"servers":[],"rooms":{"a":1}', '{}'])(
  'what is no snapshot is refused: %s',
  (json) => {
    expect(() => {
      new Snapshot(upstreamEvent('snapshot', json)).step(untilEnd);
    }).toThrow();
  },
);

const fleet = (rooms: [string, number][]): Fleet => ({
  position: { version: 5, id: '8.1-5' },
  rooms: new Map(rooms),
  servers: new Map(),
});

test('a difference names rooms that are new, changed or gone, also __proto__', () => {
  const before = fleet([
    ['same', 1],
    ['changed', 1],
    ['gone', 1],
  ]);
  const after = fleet([
    ['same', 1],
    ['changed', 2],
    ['__proto__', 3],
  ]);
  const difference = new Difference(before, after);
  expect(difference.step(untilEnd)).toBe(true);
  const frames = difference.frames(after.position).map(String);
  expect(frames).toEqual([
    'event: changes\nid: 8.1-5\ndata: {"version":5,"rooms":{"changed":2,"__proto__":3,"gone":0}}\n\n',
  ]);
});

test('a difference of nothing is one event, for its id', () => {
  const same = fleet([['a', 1]]);
  const difference = new Difference(same, same);
  difference.step(untilEnd);
  expect(difference.frames(same.position).map(String)).toEqual([
    'event: changes\nid: 8.1-5\ndata: {"version":5,"rooms":{}}\n\n',
  ]);
});

/** Each look at the clock takes a millisecond. */
function slowDown(): void {
  let nowMs = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => {
    nowMs += 1;
    return nowMs;
  });
}

test('long work is done in slices, and says when it is over', () => {
  slowDown();
  const clock = new HandClock();
  const idle = jest.fn();
  const work = new SlicedWork({ clock, onIdle: idle, onError: () => {} });
  const items = Array.from({ length: 10_000 }, (_, i) => i);
  const seen: number[] = [];
  const done = jest.fn();
  work.do(
    eachOf(items, (item) => seen.push(item)),
    done,
  );
  expect([work.isBusy, done.mock.calls.length]).toEqual([true, 0]);
  expect(seen.length).toBeLessThan(3000);
  clock.advance(1000);
  expect(seen).toEqual(items);
  expect([work.isBusy, done.mock.calls.length, idle.mock.calls.length]).toEqual([false, 1, 1]);
});

test('short work is done at once', () => {
  const idle = jest.fn();
  const work = new SlicedWork({ clock: new HandClock(), onIdle: idle, onError: () => {} });
  const done = jest.fn();
  work.do(
    eachOf([1, 2], () => {}),
    done,
  );
  expect([done.mock.calls.length, idle.mock.calls.length]).toEqual([1, 0]);
});

test('work that is cancelled does not go on, and an error of a later slice is told', () => {
  slowDown();
  const clock = new HandClock();
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const work = new SlicedWork({ clock, onIdle: () => {}, onError });
  const done = jest.fn();
  let left = 1;
  work.do(() => false, done);
  work.cancel();
  clock.advance(1000);
  expect([done.mock.calls.length, clock.pending]).toEqual([0, 0]);
  work.do(() => {
    left -= 1;
    if (left < 0) throw new Error('unreadable');
    return false;
  }, done);
  clock.advance(1000);
  expect(String(errors)).toBe('Error: unreadable');
  expect(work.isBusy).toBe(false);
});

test('a history knows frames by event ids, over several terms, until it restarts', () => {
  const history = new RelayHistory();
  const at = (id: string) => ({ version: 0, id });
  const frame = (text: string) => Buffer.from(text);
  history.restart(at('7.1-3'));
  history.push(frame('one'), at('7.1-4'));
  history.push(frame('two'), at('8.1-9'));
  const since = (id: string | undefined) => history.since(id)?.map(String);
  expect(since('7.1-3')).toEqual(['one', 'two']);
  expect(since('7.1-4')).toEqual(['two']);
  expect(since('8.1-9')).toEqual([]);
  for (const unknown of [undefined, '', '7.1-2', '8.1-10']) expect(since(unknown)).toBe(undefined);
  history.restart(at('8.2-10'));
  expect(since('8.1-9')).toBe(undefined);
  expect(since('8.2-10')).toEqual([]);
  history.push(frame('three'), at('8.2-11'));
  expect(since('8.2-10')).toEqual(['three']);
});

test('a history forgets the oldest frames', () => {
  const history = new RelayHistory();
  history.restart({ version: 0, id: '7.1-0' });
  for (let version = 1; version <= 1025; version += 1)
    history.push(Buffer.from('x'), { version, id: `7.1-${version}` });
  expect(history.since('7.1-0')).toBe(undefined);
  expect(history.since('7.1-1')?.length).toBe(1024);
});
