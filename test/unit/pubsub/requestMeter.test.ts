import { expect, test } from '@jest/globals';
import { metered, type RequestMeter } from '../../../server/pubsub/requestMeter.js';

function newMeter() {
  const ended: unknown[] = [];
  const meter: RequestMeter = {
    ended: (request, isAnswered, seconds) => ended.push([request, isAnswered, seconds >= 0]),
    resynced: () => {},
  };
  return { ended, meter };
}

test('a request is told with its outcome, and its answer or error is that of the request', async () => {
  const { ended, meter } = newMeter();
  const { signal } = new AbortController();
  expect(await metered(async () => 'answer', 'probe', { meter, signal })).toBe('answer');
  const fail = () => Promise.reject(new Error('timed out'));
  await expect(metered(fail, 'rooms', { meter, signal })).rejects.toThrow('timed out');
  expect(ended).toEqual([
    ['probe', true, true],
    ['rooms', false, true],
  ]);
});

test('a request that its caller gave up is not told', async () => {
  const { ended, meter } = newMeter();
  const stop = new AbortController();
  const fail = async () => {
    stop.abort();
    throw new Error('stopped');
  };
  const { signal } = stop;
  await expect(metered(fail, 'activate', { meter, signal })).rejects.toThrow('stopped');
  expect(ended).toEqual([]);
});
