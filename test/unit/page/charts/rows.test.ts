import { describe, expect, test } from '@jest/globals';
import {
  drawnRows,
  gapsIn,
  partialIn,
  rowAt,
  rowsIn,
} from '../../../../server/page/charts/rows.js';

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

describe('what is drawn', () => {
  test('holds the last number until now', () => {
    expect(drawnRows([10, 20], [[1, 2]], range)).toEqual({
      seconds: [10, 20, 60],
      lines: [[1, 2, 2]],
    });
  });

  test('ends a line where its gap begins, and not at its last number', () => {
    const drawn = drawnRows([10, 20, 50], [[1, 2, null]], { from: 0, to: 50 });
    expect(drawn.lines).toEqual([[1, 2, 2, null]]);
    expect(drawn.seconds.map(Math.round)).toEqual([10, 20, 50, 50]);
    expect(drawn.seconds[2]).toBeLessThan(50);
  });

  test('draws no number in a gap', () => {
    expect(drawnRows([10, 20], [[1, null]], range).lines).toEqual([[1, 1, null, null]]);
    expect(drawnRows([], [[]], range)).toEqual({ seconds: [], lines: [[]] });
  });
});
