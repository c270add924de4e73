import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { AtMostEvery } from '../../../server/timing/atMostEvery.js';

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
  jest.useRealTimers();
});

test('each key is allowed once in an interval', () => {
  const pace = new AtMostEvery(1000);
  expect([pace.allows('a'), pace.allows('b'), pace.allows('a')]).toEqual([true, true, false]);
  jest.advanceTimersByTime(999);
  expect(pace.allows('a')).toBe(false);
  jest.advanceTimersByTime(1);
  // Asking in vain did not make it wait for longer.
  expect([pace.allows('a'), pace.allows('a')]).toEqual([true, false]);
});

test('only the newest keys are remembered, and the key allowed last is the newest', () => {
  const pace = new AtMostEvery(1000, 2);
  pace.allows('a');
  pace.allows('b');
  jest.advanceTimersByTime(1000);
  pace.allows('a');
  pace.allows('c');
  expect([pace.allows('a'), pace.allows('c'), pace.allows('b')]).toEqual([false, false, true]);
});
