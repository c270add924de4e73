import { afterEach, expect, jest, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import {
  metered,
  type RequestKind,
  type RequestMeter,
} from '../../../server/pubsub/requestMeter.js';

const server = '10.0.0.1:8001' as ServerId;
const asked = (request: RequestKind) => ({ server, request });

afterEach(() => {
  jest.useRealTimers();
});

function newMeter() {
  const ended: unknown[] = [];
  const meter: RequestMeter = {
    ended: ({ seconds, ...told }) => ended.push({ ...told, isTimed: seconds >= 0 }),
    resynced: () => {},
  };
  return { ended, meter };
}

test('a request is told with its outcome, and its answer or error is that of the request', async () => {
  const { ended, meter } = newMeter();
  const { signal } = new AbortController();
  expect(await metered(async () => 'answer', asked('probe'), { meter, signal })).toBe('answer');
  const fail = () => Promise.reject(new Error('timed out'));
  await expect(metered(fail, asked('rooms'), { meter, signal })).rejects.toThrow('timed out');
  expect(ended).toEqual([
    { ...asked('probe'), cause: null, isTimed: true },
    { ...asked('rooms'), cause: 'timed out', isTimed: true },
  ]);
});

test('a request is told with the seconds that it took', async () => {
  jest.useFakeTimers({ now: 0 });
  jest.advanceTimersByTime(1000);
  const seconds: number[] = [];
  const meter: RequestMeter = {
    ended: (ended) => void seconds.push(ended.seconds),
    resynced: () => {},
  };
  const { signal } = new AbortController();
  const ask = async () => void jest.advanceTimersByTime(250);
  await metered(ask, asked('probe'), { meter, signal });
  expect(seconds).toEqual([0.25]);
});

test('without a meter a request is made all the same', async () => {
  const { signal } = new AbortController();
  const made = metered(async () => 'answer', asked('probe'), { meter: undefined, signal });
  expect(await made).toBe('answer');
});

test('a request that its caller gave up is not told', async () => {
  const { ended, meter } = newMeter();
  const stop = new AbortController();
  const fail = async () => {
    stop.abort();
    throw new Error('stopped');
  };
  const { signal } = stop;
  await expect(metered(fail, asked('activate'), { meter, signal })).rejects.toThrow('stopped');
  expect(ended).toEqual([]);
});
