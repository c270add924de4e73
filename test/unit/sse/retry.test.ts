import { afterEach, expect, jest, test } from '@jest/globals';
import { retryMs } from '../../../server/sse/retry.js';

afterEach(() => {
  jest.restoreAllMocks();
});

test.each([
  ['absent', [5000, 10_000, 15_000]],
  ['present', [1000, 2000, 3000]],
] as const)(
  'if the service is %s, clients reconnect at times spread over a range',
  (answerer, times) => {
    const random = jest.spyOn(Math, 'random');
    for (const [i, share] of [0, 0.49999, 1].entries()) {
      random.mockReturnValueOnce(share);
      expect(retryMs(answerer)).toBe(times[i]);
    }
  },
);
