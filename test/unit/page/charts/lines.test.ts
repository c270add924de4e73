import { describe, expect, test } from '@jest/globals';
import { areaHeight, type Scale, scaleOf } from '../../../../server/page/charts/drawing.js';
import { stepPaths } from '../../../../server/page/charts/stepPath.js';
import { numberTicks, timeTicks } from '../../../../server/page/charts/ticks.js';

const range = { from: 0, to: 60 };
const plain: Scale = { highest: 100, toX: (second) => second, toY: (value) => 100 - value };
const paths = (seconds: number[], values: (number | null)[], shown = range) =>
  stepPaths(seconds, values, shown, plain).map(({ path }) => path);

describe('a line', () => {
  test('holds each number until the next one, and the last one until the end of the range', () => {
    expect(paths([10, 20, 30], [1, 2, 2])).toEqual(['M10 99H20V98H60']);
  });

  test('ends where a gap begins, and not at its last number', () => {
    expect(paths([10, 20, 50], [1, 2, null])).toEqual(['M10 99H20V98H50']);
    expect(paths([10, 20, 30], [1, null, 3])).toEqual(['M10 99H20', 'M30 97H60']);
  });

  test('is not drawn where nothing is known', () => {
    expect(paths([10, 20], [null, null])).toEqual([]);
    expect(paths([], [])).toEqual([]);
  });

  test('begins and ends with the range', () => {
    expect(paths([10, 20, 30, 70], [1, 2, 3, 4], { from: 15, to: 25 })).toEqual([
      'M15 99H20V98H25',
    ]);
    expect(stepPaths([10], [1], { from: 15, to: 25 }, plain)[0]?.from).toBe(15);
  });

  test('keeps the highest, the lowest and the last of many numbers in one column of pixels', () => {
    const seconds = [1, 10, 10.1, 10.12, 10.14, 10.16, 10.18];
    expect(paths(seconds, [5, 9, 7, 6, 2, 8, 4])).toEqual(['M1 95H10V91V98V96H60']);
    const many = Array.from({ length: 60_000 }, (_, i) => i / 1000);
    const [path = ''] = paths(
      many,
      many.map((_, i) => i % 7),
    );
    expect(path.match(/V/g)?.length).toBeLessThan(5 * 120);
  });
});

describe('the scale', () => {
  test('has room for the highest number of the range only, and 0 at the bottom', () => {
    const { highest, toX, toY } = scaleOf([0, 10, 70], [[999, 20, 999]], { from: 10, to: 60 }, 200);
    expect(highest).toBeCloseTo(23);
    expect([toX(10), toX(60), toY(highest), toY(0)]).toEqual([0, 200, 0, areaHeight]);
  });

  test('does not make few look like many, and stands without a number', () => {
    expect(scaleOf([0], [[1]], range, 200).highest).toBe(4);
    expect(scaleOf([], [[]], range, 200).highest).toBe(4);
    expect(scaleOf([0], [[null]], range, 200).highest).toBe(4);
  });
});

describe('the axes', () => {
  test.each([
    [4, 2, [0, 2, 4]],
    [46, 20, [0, 20, 40]],
    [575_000, 200_000, [0, 200_000, 400_000]],
  ])('have whole numbers up to %d, with space between them', (highest, step, values) => {
    expect(numberTicks(highest, areaHeight)).toEqual({ step, values });
  });

  test('have as many times as fit, at full minutes and hours', () => {
    const at = (time: string) => new Date(`2026-03-04T${time}`).getTime() / 1000;
    const from = at('10:00:30');
    expect(timeTicks({ from, to: at('10:05:30') }, 420)).toEqual({
      step: 60,
      values: ['10:01', '10:02', '10:03', '10:04', '10:05'].map(at),
    });
    const day = timeTicks({ from, to: from + 86_400 }, 420);
    expect(day.step).toBe(6 * 3600);
    expect(day.values.map((second) => new Date(second * 1000).getHours())).toEqual([12, 18, 0, 6]);
  });

  test('have a step for the shortest zoom and for the narrowest chart', () => {
    expect(timeTicks({ from: 0, to: 10 }, 2000).step).toBe(1);
    expect(timeTicks({ from: 0, to: 86_400 }, 0).values.length).toBeLessThan(3);
  });
});
