import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { withDeadline } from '../../../server/timing/withDeadline.js';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
});
afterEach(() => {
  jest.useRealTimers();
});

const pending = new Promise<string>(() => {});

test('a promise that settles in time leaves no timer', async () => {
  expect(await withDeadline(Promise.resolve('done'), 1000, () => 'late')).toBe('done');
  const failed = withDeadline(Promise.reject(new Error('failed')), 1000, () => 'late');
  await expect(failed).rejects.toThrow('failed');
  expect(jest.getTimerCount()).toBe(0);
});

test('a promise that takes too long settles as the late result does', async () => {
  const answered = withDeadline(pending, 1000, () => 'late');
  const thrown = expect(
    withDeadline(pending, 1000, () => {
      throw new Error('no answer');
    }),
  ).rejects.toThrow('no answer');
  await jest.advanceTimersByTimeAsync(1000);
  expect(await answered).toBe('late');
  await thrown;
});

test('a failure after the deadline is ignored', async () => {
  let fail = (_: Error) => {};
  const failing = new Promise<string>((_, reject) => {
    fail = reject;
  });
  const answered = withDeadline(failing, 1000, () => 'late');
  await jest.advanceTimersByTimeAsync(1000);
  expect(await answered).toBe('late');
  fail(new Error('too late'));
  await jest.advanceTimersByTimeAsync(1);
});
