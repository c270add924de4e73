import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { HeardTimes } from '../../../server/fleet/heardTimes.js';

const server = '10.0.0.1:8001' as ServerId;
const startMs = Date.UTC(2030, 0, 1);

let heard: HeardTimes;
beforeEach(() => {
  jest.useFakeTimers({ now: startMs });
  heard = new HeardTimes();
  heard.note(server);
});
afterEach(() => {
  jest.useRealTimers();
});

test('a server was last heard when it was last noted', () => {
  expect(heard.of('10.0.0.2:8001' as ServerId)).toBeUndefined();
  jest.advanceTimersByTime(10_000);
  expect(heard.of(server)).toBe(startMs);
  heard.note(server);
  expect(heard.of(server)).toBe(startMs + 10_000);
  heard.forget(server);
  expect(heard.of(server)).toBeUndefined();
});

test('no server was heard in the future if the clock is set back', () => {
  jest.advanceTimersByTime(10_000);
  jest.setSystemTime(startMs - 3_600_000);
  expect(heard.of(server)).toBe(startMs - 3_600_000 - 10_000);
});

test('a drift of a second between the clocks does not change the time', () => {
  jest.advanceTimersByTime(10_000);
  jest.setSystemTime(startMs + 10_000 - 1000);
  expect(heard.of(server)).toBe(startMs);
  jest.setSystemTime(startMs + 10_000 - 1001);
  expect(heard.of(server)).toBe(startMs - 1001);
});

test('a clock that is ahead does not change the time, because the machine was suspended', () => {
  jest.setSystemTime(startMs + 3_600_000);
  expect(heard.of(server)).toBe(startMs);
});
