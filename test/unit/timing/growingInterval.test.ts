import { expect, test } from '@jest/globals';
import { GrowingInterval } from '../../../server/timing/growingInterval.js';

test('the interval grows while an event recurs, up to a limit', () => {
  const interval = new GrowingInterval(2000, 9000);
  let nowMs = 0;
  const seen: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    interval.note(nowMs);
    seen.push(interval.ms);
    nowMs += interval.ms;
  }
  expect(seen).toEqual([2000, 4000, 8000, 9000, 9000]);
});

test('the interval resets after twice its length without an event', () => {
  const interval = new GrowingInterval(2000, 30_000);
  interval.note(0);
  interval.note(2000);
  expect(interval.ms).toBe(4000);
  interval.note(2000 + 8000);
  expect(interval.ms).toBe(2000);
});
