import { describe, expect, test } from '@jest/globals';
import { maxRetryAfterMs, retryAfterMs } from '../../../server/webhooks/retryAfter.js';

const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
const nowMs = Date.parse(date);

describe('Retry-After', () => {
  test.each([
    ['120', 120_000],
    ['0', 0],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 60_000],
    ['Sunday, 06-Nov-94 08:50:37 GMT', 60_000],
    ['Sun Nov  6 08:50:37 1994', 60_000],
    ['Sun, 06 Nov 1994 08:48:37 GMT', 0],
    ['1801', maxRetryAfterMs],
    ['99999999999999999999', maxRetryAfterMs],
    ['Mon, 07 Nov 1994 08:49:37 GMT', maxRetryAfterMs],
  ])('%s is %i ms', (text, ms) => {
    expect(retryAfterMs({ retryAfter: text }, nowMs)).toBe(ms);
  });

  test.each([
    '',
    '5 minutes',
    '-1',
    '1.5',
    '1e3',
    'x1',
    'soon',
    '2026-01-01T00:00:00Z',
    'on Sun, 06 Nov 1994 08:50:37 GMT',
    'Sun, 06 Nov 1994 08:50:37 GMT or so',
  ])('says nothing with %j', (text) => {
    expect(retryAfterMs({ retryAfter: text }, nowMs)).toBeUndefined();
  });

  test('says nothing if it is not there', () => {
    expect(retryAfterMs({ date }, nowMs)).toBeUndefined();
  });

  test('is counted from the clock of the receiver, if that is known', () => {
    const wrong = nowMs + 3_600_000;
    const inAMinute = 'Sun, 06 Nov 1994 08:50:37 GMT';
    expect(retryAfterMs({ retryAfter: inAMinute, date }, wrong)).toBe(60_000);
    expect(retryAfterMs({ retryAfter: inAMinute, date: 'yesterday' }, wrong)).toBe(0);
  });
});
