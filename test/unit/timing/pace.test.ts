import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Pace } from '../../../server/timing/pace.js';

let flushes: number[];
const flush = () => void flushes.push(performance.now());

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  flushes = [];
});
afterEach(() => {
  jest.useRealTimers();
});

/** Lets immediates run, but no time pass. */
const endTurn = () => jest.advanceTimersByTime(0);

test('the first touch is flushed at the end of the turn', () => {
  const pace = new Pace(flush, () => 50);
  pace.touch();
  expect(flushes).toEqual([]);
  endTurn();
  expect(flushes).toEqual([performance.now()]);
});

test('all touches of a turn cause one flush', () => {
  const pace = new Pace(flush, () => 0);
  for (let i = 0; i < 100; i += 1) pace.touch();
  endTurn();
  expect(flushes).toHaveLength(1);
});

test('later touches are conflated for the interval', () => {
  const pace = new Pace(flush, () => 50);
  pace.touch();
  endTurn();
  for (let i = 0; i < 200; i += 1) {
    pace.touch();
    jest.advanceTimersByTime(1);
  }
  const gaps = flushes.slice(1).map((at, i) => at - (flushes[i] ?? 0));
  expect(flushes.length).toBeLessThanOrEqual(5);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
});

test('the last touch is never lost', () => {
  const pace = new Pace(flush, () => 50);
  pace.touch();
  endTurn();
  pace.touch();
  jest.advanceTimersByTime(1000);
  expect(flushes).toHaveLength(2);
});

test('without a touch nothing runs, and no timer is set', () => {
  const pace = new Pace(flush, () => 50);
  pace.touch();
  jest.advanceTimersByTime(1000);
  expect(flushes).toHaveLength(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('after a pause the next touch does not wait', () => {
  const pace = new Pace(flush, () => 50);
  pace.touch();
  jest.advanceTimersByTime(60);
  pace.touch();
  endTurn();
  expect(flushes).toHaveLength(2);
});

test('the interval is read at each touch', () => {
  let intervalMs = 0;
  const pace = new Pace(flush, () => intervalMs);
  pace.touch();
  endTurn();
  intervalMs = 500;
  pace.touch();
  jest.advanceTimersByTime(499);
  expect(flushes).toHaveLength(1);
  jest.advanceTimersByTime(2);
  expect(flushes).toHaveLength(2);
});

test('close stops flushing and leaves no timer', () => {
  const pace = new Pace(flush, () => 50);
  pace.touch();
  endTurn();
  pace.touch();
  pace.close();
  jest.advanceTimersByTime(1000);
  expect(flushes).toHaveLength(1);
  expect(jest.getTimerCount()).toBe(0);
});
