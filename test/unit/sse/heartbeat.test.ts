import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Heartbeat } from '../../../server/sse/heartbeat.js';
import { FakeViewer } from '../../support/fakeViewer.js';

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
  jest.useRealTimers();
});

test('streams catch up every second and get a comment every 15 s', () => {
  const viewer = new FakeViewer();
  const catchUp = jest.fn();
  const heartbeat = new Heartbeat({ catchUp, viewers: () => [viewer.viewer] });
  heartbeat.start();
  heartbeat.start();
  jest.advanceTimersByTime(45_000);
  expect(catchUp).toHaveBeenCalledTimes(45);
  expect(viewer.beats).toBe(3);
  heartbeat.stop();
  expect(jest.getTimerCount()).toBe(0);
});
