import { describe, expect, test } from '@jest/globals';
import { actionOf, nextMarks } from '../../../../server/page/charts/keys.js';
import type { PlacedMarks } from '../../../../server/page/charts/marks.js';
import {
  halfAround,
  momentAt,
  rangeBetween,
  rangeOf,
  shareOf,
} from '../../../../server/page/charts/ranges.js';

const whole = { from: 1000, to: 2000 };

describe('a range', () => {
  test.each([
    ['minutes', 300],
    ['hour', 3600],
    ['day', 86_400],
    ['opened', 1234],
  ] as const)('%s ends now, and is %d seconds long', (kind, length) => {
    const now = 1_000_000;
    expect(rangeOf(kind, now, now - 1234)).toEqual({ from: now - length, to: now });
  });

  test('since the page was opened has half a minute at least', () => {
    expect(rangeOf('opened', 5000, 4999)).toEqual({ from: 4970, to: 5000 });
  });

  test('maps moments to shares and back, and stays inside', () => {
    expect(shareOf(1250, whole)).toBe(0.25);
    expect(momentAt(0.25, whole)).toBe(1250);
    expect([momentAt(-1, whole), momentAt(2, whole)]).toEqual([1000, 2000]);
  });
});

describe('zooming', () => {
  test('takes two moments in any order', () => {
    expect(rangeBetween(1200, 1700, whole)).toEqual({ from: 1200, to: 1700 });
    expect(rangeBetween(1700, 1200, whole)).toEqual({ from: 1200, to: 1700 });
  });

  test('goes down to ten seconds, inside of the whole range', () => {
    expect(rangeBetween(1500, 1501, whole)).toEqual({ from: 1495.5, to: 1505.5 });
    expect(rangeBetween(1999, 2000, whole)).toEqual({ from: 1990, to: 2000 });
    expect(rangeBetween(0, 9999, whole)).toEqual(whole);
  });

  test('halves a range around a moment', () => {
    expect(halfAround(1500, whole)).toEqual({ from: 1250, to: 1750 });
    expect(halfAround(1000, whole)).toEqual({ from: 1000, to: 1500 });
  });
});

describe('keys', () => {
  test('move the cursor by a hundredth or a tenth of the range, not beyond it', () => {
    const second = (key: string, at?: number) => {
      const action = actionOf(key, whole, at);
      return action?.kind === 'point' ? action.second : undefined;
    };
    expect(second('ArrowLeft')).toBe(2000);
    expect(second('ArrowLeft', 1500)).toBe(1490);
    expect(second('ArrowRight', 1500)).toBe(1510);
    expect(second('PageDown', 1500)).toBe(1400);
    expect(second('PageUp', 1950)).toBe(2000);
    expect([second('Home', 1500), second('End', 1500)]).toEqual([1000, 2000]);
  });

  test('zoom around the cursor, and back', () => {
    expect(actionOf('+', whole, 1500)).toEqual({ kind: 'zoom', range: { from: 1250, to: 1750 } });
    expect(actionOf('=', whole, undefined)).toEqual({
      kind: 'zoom',
      range: { from: 1500, to: 2000 },
    });
    expect(actionOf('-', whole, 1500)).toEqual({ kind: 'back' });
    expect(actionOf('Escape', whole, 1500)).toEqual({ kind: 'back' });
  });

  test('of other meanings are left alone', () => {
    for (const key of ['a', 'Tab', '/', 'constructor']) {
      expect(actionOf(key, whole, 1500)).toBeUndefined();
      expect(nextMarks(key, [], 0)).toBeUndefined();
    }
  });

  test('go from mark to mark', () => {
    const placed = [0, 1, 2].map(() => ({}) as PlacedMarks);
    expect(nextMarks('ArrowLeft', placed, 0)).toBe(0);
    expect(nextMarks('ArrowLeft', placed, 2)).toBe(1);
    expect(nextMarks('ArrowRight', placed, 2)).toBe(2);
    expect([nextMarks('Home', placed, 2), nextMarks('End', placed, 0)]).toEqual([0, 2]);
  });
});
