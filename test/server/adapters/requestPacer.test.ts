import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { RequestPacer } from '../../../server/adapters/requestPacer.js';

const never = new AbortController().signal;
let started: number[];
let end: Map<number, () => void>;

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
  started = [];
  end = new Map();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A task that notes its start and lasts until `end` is called. */
const task = (id: number) => () => {
  started.push(id);
  return new Promise<void>((resolve) => end.set(id, resolve));
};

function run(pacer: RequestPacer, count: number): void {
  for (let id = 0; id < count; id += 1) pacer.run(task(id), never);
}

const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);

test('a few tasks are young at a time, and start in order', async () => {
  run(new RequestPacer({ youngAtOnce: 4 }), 10);
  await jest.advanceTimersByTimeAsync(10);
  expect(started).toEqual(upTo(4));
});

test('a task that ends makes room for one more', async () => {
  run(new RequestPacer({ youngAtOnce: 4 }), 10);
  await jest.advanceTimersByTimeAsync(10);
  end.get(2)?.();
  await jest.advanceTimersByTimeAsync(10);
  expect(started).toEqual(upTo(5));
});

test('tasks that last give their places back after 250 ms', async () => {
  run(new RequestPacer(), 40);
  await jest.advanceTimersByTimeAsync(240);
  expect(started).toEqual(upTo(16));
  await jest.advanceTimersByTimeAsync(100);
  expect(started).toEqual(upTo(32));
  await jest.advanceTimersByTimeAsync(250);
  expect(started).toEqual(upTo(40));
});

test('the late end of a task makes no room twice', async () => {
  run(new RequestPacer({ youngAtOnce: 1, youngMs: 250 }), 10);
  await jest.advanceTimersByTimeAsync(260);
  expect(started).toEqual([0, 1]);
  end.get(0)?.();
  await jest.advanceTimersByTimeAsync(10);
  expect(started).toEqual([0, 1]);
});

test('a task that was aborted before its turn never starts, and takes no place', async () => {
  const pacer = new RequestPacer({ youngAtOnce: 1 });
  const stop = new AbortController();
  pacer.run(task(0), never);
  pacer.run(task(1), stop.signal);
  pacer.run(task(2), never);
  await jest.advanceTimersByTimeAsync(1);
  stop.abort();
  end.get(0)?.();
  await jest.advanceTimersByTimeAsync(10);
  expect(started).toEqual([0, 2]);
});

test('with nothing to do no timer is left', async () => {
  run(new RequestPacer(), 40);
  for (let i = 0; i < 40; i += 1) {
    await jest.advanceTimersByTimeAsync(10);
    for (const finish of end.values()) finish();
  }
  await jest.advanceTimersByTimeAsync(1);
  expect(started).toEqual(upTo(40));
  expect(jest.getTimerCount()).toBe(0);
});
