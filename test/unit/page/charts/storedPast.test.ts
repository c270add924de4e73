import { describe, expect, test } from '@jest/globals';
import { joined, pointsOf } from '../../../../server/page/charts/storedPast.js';
import type { TimePoint } from '../../../../server/page/charts/timeline.js';

const from = '2026-01-01T12:00:00.000Z';
const first = Date.parse(from) / 1000;
const stored = {
  step: 30 as const,
  from,
  active: true,
  connections: [1, null, null, 4],
  rooms: [1, null, null, 2],
};
const told = (points: readonly TimePoint[]) =>
  points.map(({ second, values }) => [second - first, values.connections ?? null]);

describe('what the service tells of the past', () => {
  test('becomes points by the clock of the page, with one point for each gap', () => {
    expect(told(pointsOf(stored, ['connections', 'rooms'], 5000))).toEqual([
      [-5, 1],
      [25, null],
      [85, 4],
    ]);
    expect(pointsOf(stored, ['connections', 'rooms'], 0)[2]?.values).toEqual({
      connections: 4,
      rooms: 2,
    });
  });

  test('has flags as 1 and 0', () => {
    const flags = { ...stored, complete: [true, false, null, false] };
    const points = pointsOf(flags, ['connections', 'complete'], 0);
    expect(points.map(({ values }) => values.complete ?? null)).toEqual([1, null, 0]);
  });

  test('ends with a gap if the service does not count now', () => {
    const points = pointsOf({ ...stored, active: false }, ['connections'], 0);
    expect(told(points).at(-1)).toEqual([120, null]);
  });

  test('is nothing if nothing is stored', () => {
    expect(pointsOf({ ...stored, from: null, connections: [] }, ['connections'], 0)).toEqual([]);
  });

  test('has half minutes until the seconds begin', () => {
    const at = (second: number, connections: number | null): TimePoint => ({
      second,
      values: { connections },
    });
    const day = [at(0, 1), at(30, 2), at(60, null), at(90, 3)];
    expect(joined(day, [at(85, 9), at(86, 9)])).toEqual([
      at(0, 1),
      at(30, 2),
      at(60, null),
      at(85, 9),
      at(86, 9),
    ]);
    expect(joined(day, [])).toEqual(day);
    expect(joined([], day)).toEqual(day);
  });
});
