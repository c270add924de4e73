import { expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import {
  metered,
  type RequestKind,
  type RequestMeter,
} from '../../../server/pubsub/requestMeter.js';

const server = '10.0.0.1:8001' as ServerId;
const asked = (request: RequestKind) => ({ server, request });

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
