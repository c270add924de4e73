import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Registration } from '../../../server/agent/registration.js';
import { SafeLog } from '../../../server/agent/safeLog.js';
import { defaultTimings } from '../../../server/agent/timings.js';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const taken = { status: 200, text: '{"active":true,"eventsUrl":"http://127.0.0.1/"}' };

/** A registration at a dashboard that answers queries at once, with the times of its queries. */
function start() {
  const askedAtMs: number[] = [];
  const registration = new Registration({
    urls: ['http://127.0.0.1'],
    timings: defaultTimings,
    log: new SafeLog({ info: () => undefined, warn: () => undefined }),
    send: async () => {
      askedAtMs.push(performance.now());
      return taken;
    },
    query: () => '',
    answered: () => undefined,
  });
  registration.start();
  return { registration, askedAtMs };
}

test('a dashboard that answers queries, but takes no posts, is asked less and less often', async () => {
  const { registration, askedAtMs } = start();
  // Posts are refused all the time.
  for (let ms = 0; ms < 60_000; ms += 10) {
    await jest.advanceTimersByTimeAsync(10);
    registration.askAgain();
  }
  registration.close();
  const pauses = askedAtMs.slice(1).map((atMs, index) => atMs - (askedAtMs[index] ?? 0));
  expect(pauses.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000]);
});

test('a dashboard that took posts for a while is asked again soon', async () => {
  const { registration, askedAtMs } = start();
  await jest.advanceTimersByTimeAsync(10_000);
  registration.askAgain();
  await jest.advanceTimersByTimeAsync(10_000);
  registration.askAgain();
  await jest.advanceTimersByTimeAsync(10);
  registration.close();
  expect(askedAtMs.map((atMs) => atMs - (askedAtMs[0] ?? 0))).toEqual([0, 10_000, 20_000]);
});
