import { describe, expect, test } from '@jest/globals';
import { gapsIn, partialIn, rowAt, rowsIn } from '../../../../server/page/charts/rows.js';

const seconds = [10, 20, 30, 40];
const range = { from: 0, to: 60 };

test('a point holds until the next one', () => {
  expect([5, 10, 19, 20, 39, 40, 99].map((second) => rowAt(seconds, second))).toEqual([
    -1, 0, 0, 1, 2, 3, 3,
  ]);
  expect(rowAt([], 5)).toBe(-1);
  expect(rowsIn(seconds, { from: 25, to: 30 })).toEqual([1, 3]);
  expect(rowsIn(seconds, { from: 0, to: 5 })).toEqual([0, 0]);
});

describe('gaps', () => {
  test('last from the first unknown second to the next number, and to the end if none follows', () => {
    expect(gapsIn(seconds, [[1, null, 3, null]], range)).toEqual([
      { from: 20, to: 30 },
      { from: 40, to: 60 },
    ]);
    expect(gapsIn(seconds, [[0, 0, 0, 0]], range)).toEqual([]);
    // Before the first point nothing was recorded.
    expect(gapsIn([], [[]], range)).toEqual([]);
  });

  test('are cut by the range', () => {
    expect(gapsIn(seconds, [[1, null, null, 4]], { from: 25, to: 35 })).toEqual([
      { from: 25, to: 35 },
    ]);
  });

  test('are where no line has a number', () => {
    const lines = [
      [null, null, 1, 1],
      [1, null, null, 1],
    ];
    expect(gapsIn(seconds, lines, range)).toEqual([{ from: 20, to: 30 }]);
  });
});

test('times in which servers were missing are told, but not those that nothing is known of', () => {
  expect(partialIn(seconds, [1, 0, 0, null], range)).toEqual([{ from: 20, to: 40 }]);
  expect(partialIn(seconds, [1, 1, 1, 0], range)).toEqual([{ from: 40, to: 60 }]);
  expect(partialIn(seconds, [], range)).toEqual([]);
});
