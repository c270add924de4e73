import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { rowAt } from '../../../../server/page/charts/rows.js';
import { Timeline, type TimePoint } from '../../../../server/page/charts/timeline.js';

const at = (second: number, a: number | null): TimePoint => ({ second, values: { a } });
const rows = (timeline: Timeline) =>
  timeline.seconds.map((second, i) => [second, timeline.column('a')[i]]);

test('has one point for each second, with its last numbers', () => {
  const timeline = new Timeline();
  timeline.record(1000, { a: 1 });
  timeline.record(1900, { a: 2 });
  timeline.record(2000, { a: 3, b: 7 });
  expect(rows(timeline)).toEqual([
    [1, 2],
    [2, 3],
  ]);
  // A line that begins later was not known before.
  expect(timeline.column('b')).toEqual([null, 7]);
  expect(timeline.column('never')).toEqual([null, null]);
});

test('seconds in which nobody looked are a gap, not a line', () => {
  const timeline = new Timeline();
  timeline.record(10_000, { a: 1 });
  timeline.record(15_000, { a: 1 });
  timeline.record(3600_000, { a: 2 });
  expect(rows(timeline)).toEqual([
    [10, 1],
    [15, 1],
    [16, null],
    [3600, 2],
  ]);
});

test('what was recorded after the numbers were last known is taken back', () => {
  const timeline = new Timeline();
  timeline.cut(5000);
  for (const second of [10, 11, 12, 13]) timeline.record(second * 1000, { a: second });
  timeline.cut(11_500);
  timeline.cut(11_500);
  expect(rows(timeline)).toEqual([
    [10, 10],
    [11, 11],
    [12, null],
  ]);
  timeline.record(14_000, { a: 14 });
  expect(rows(timeline).at(-1)).toEqual([14, 14]);
});

test('a time that is over can be made unknown', () => {
  const timeline = new Timeline();
  for (const second of [10, 11, 12, 13, 14]) timeline.record(second * 1000, { a: second });
  timeline.blank(11_200, 13_100);
  const blanked = [
    [10, 10],
    [11, 11],
    [12, null],
    [14, 14],
  ];
  expect(rows(timeline)).toEqual(blanked);
  timeline.blank(11_200, 13_100);
  timeline.blank(1000, 2000);
  expect(rows(timeline)).toEqual(blanked);
});

test('is filled with what the service knows, except where it knows better itself', () => {
  const timeline = new Timeline();
  timeline.record(10_000, { a: null });
  timeline.record(12_000, { a: 5 });
  timeline.record(17_000, { a: null });
  timeline.fill([at(1, 1), at(5, null), at(11, 3), at(12, 4), at(13, 6)]);
  expect(rows(timeline)).toEqual([
    [1, 1],
    [5, null],
    [11, 3],
    [12, 5],
    [13, 6],
    [17, null],
  ]);
  timeline.fill([]);
  expect(timeline.seconds).toHaveLength(6);
});

test('goes on after a fill by a clock that is ahead', () => {
  const timeline = new Timeline();
  timeline.fill([at(10, 1), at(40, 2)]);
  timeline.record(12_000, { a: 3 });
  expect(rows(timeline)).toEqual([
    [10, 1],
    [12, 3],
  ]);
});

test('stays small for days, and keeps the first and the last second', () => {
  const timeline = new Timeline(100);
  const days = 3 * 24 * 3600;
  for (let second = 1; second < days; second += 1) timeline.record(second * 1000, { a: second });
  const { seconds } = timeline;
  expect(seconds.length).toBeLessThanOrEqual(100);
  expect([seconds[0], seconds.at(-1)]).toEqual([1, days - 1]);
  expect(timeline.column('a')).toEqual(seconds);
  expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
});

test('joining old points never turns a gap into a line', () => {
  // Lengths of known and of unknown times in turn.
  const lengths = fc.array(fc.integer({ min: 6, max: 90 }), { minLength: 4, maxLength: 12 });
  fc.assert(
    fc.property(lengths, (parts) => {
      const timeline = new Timeline(60);
      const gaps: number[] = [];
      let second = 1;
      for (const [i, length] of parts.entries()) {
        const isKnown = i % 2 === 0;
        if (!isKnown && i < parts.length - 1) gaps.push(second);
        for (let n = 0; n < length; n += 1, second += 1)
          timeline.record(second * 1000, { a: isKnown ? 5 : null });
      }
      const a = timeline.column('a');
      expect(timeline.seconds.length).toBeLessThanOrEqual(60);
      // Between numbers before and after each gap there is a point without one, unless a long step joined several.
      for (const [i, value] of a.entries()) {
        const [from = 0, to = 0] = [timeline.seconds[i], timeline.seconds[i + 1]];
        const hidden = gaps.filter((gap) => gap > from && gap < to);
        if (value !== null && a[i + 1] !== null && i + 1 < a.length) expect(hidden).toEqual([]);
      }
      expect(rowAt(timeline.seconds, second)).toBe(timeline.seconds.length - 1);
    }),
  );
});
