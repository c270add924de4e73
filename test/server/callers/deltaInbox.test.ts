import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Epoch, RoomName, ServerId } from '../../../machines/ports.js';
import type { Delta } from '../../../machines/tally.js';
import { DeltaInbox } from '../../../server/callers/deltaInbox.js';

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
  jest.useRealTimers();
});

const delta = (room: string): Delta => ({
  server: 's:1' as ServerId,
  epoch: 1 as Epoch,
  fromStartup: false,
  room: room as RoomName,
  add: 1,
});

test('the first deltas are delivered at once, those that follow soon after, together and in order', () => {
  const delivered: string[][] = [];
  const inbox = new DeltaInbox((deltas) => delivered.push(deltas.map(({ room }) => room)));
  inbox.put([delta('a'), delta('b')]);
  jest.advanceTimersByTime(0);
  expect(delivered).toEqual([['a', 'b']]);
  inbox.put([delta('c')]);
  jest.advanceTimersByTime(1);
  inbox.put([delta('d')]);
  expect(delivered).toHaveLength(1);
  jest.advanceTimersByTime(5);
  expect(delivered).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('nothing is delivered when nothing came, nor after it was closed', () => {
  const delivered: unknown[] = [];
  const inbox = new DeltaInbox((deltas) => delivered.push(deltas));
  inbox.put([]);
  jest.advanceTimersByTime(100);
  inbox.put([delta('a')]);
  inbox.close();
  jest.advanceTimersByTime(100);
  expect(delivered).toEqual([]);
});
