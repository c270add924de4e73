import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { FrameLatency } from '../../../server/fleet/frameLatency.js';

let seen: number[];
let latency: FrameLatency;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  seen = [];
  latency = new FrameLatency((seconds) => seen.push(seconds));
});
afterEach(() => {
  jest.useRealTimers();
});

test('a frame is measured from its oldest post', () => {
  const first = performance.now();
  latency.noteCounted(first);
  jest.advanceTimersByTime(20);
  latency.noteCounted(performance.now());
  jest.advanceTimersByTime(30);
  latency.noteFlushed(true);
  expect(seen).toEqual([0.05]);
});

test('a frame without posts is not measured, and posts that change nothing have none', () => {
  latency.noteFlushed(true);
  latency.noteCounted(performance.now());
  latency.noteFlushed(false);
  jest.advanceTimersByTime(1000);
  latency.noteFlushed(true);
  expect(seen).toEqual([]);
});
