import { describe, expect, test } from '@jest/globals';
import { marksOf } from '../../../../server/page/charts/activityMarks.js';
import { type ChartMark, marksNear, placeMarks } from '../../../../server/page/charts/marks.js';
import { lineWords, markWords, momentWords } from '../../../../server/page/charts/words.js';
import type { ActivityEvent } from '../../../../server/wire/activityEvent.js';

const range = { from: 0, to: 1000 };
const mark = (second: number, level: ChartMark['level'] = 'info'): ChartMark => ({
  id: `${second}`,
  second,
  level,
  words: `at ${second}`,
});
const secondsOf = (placed: ReturnType<typeof placeMarks>) =>
  placed.map(({ marks }) => marks.map(({ second }) => second));

describe('marks', () => {
  test('are placed by their time, and only in the range', () => {
    const marks = [mark(-1), mark(500), mark(0), mark(1001)];
    const placed = placeMarks(marks, range, 400);
    expect(placed.map(({ x }) => x)).toEqual([0, 200]);
  });

  test('that a finger could not tell apart are joined, the worst level wins', () => {
    // 100 pixels: 24 of them are 240 seconds.
    const placed = placeMarks([mark(0), mark(100, 'warning'), mark(239), mark(240)], range, 100);
    expect(secondsOf(placed)).toEqual([[0, 100, 239], [240]]);
    expect(placed.map(({ level }) => level)).toEqual(['warning', 'info']);
  });

  test('many of them never join to one by a chain', () => {
    const marks = Array.from({ length: 100 }, (_, i) => mark(i * 10));
    expect(placeMarks(marks, range, 500).length).toBeGreaterThan(15);
  });

  test('near the cursor are found, the nearest first', () => {
    const placed = placeMarks([mark(100), mark(200)], range, 300);
    expect(marksNear(placed, 36, 12)?.marks[0].second).toBe(100);
    expect(marksNear(placed, 54, 12)?.marks[0].second).toBe(200);
    expect(marksNear(placed, 90, 12)).toBeUndefined();
  });

  test('of many only the newest are told', () => {
    const [joined] = placeMarks(
      [1, 2, 3, 4, 5, 6].map((second) => mark(second)),
      range,
      100,
    );
    const words = joined ? markWords(joined) : [];
    expect(words).toHaveLength(5);
    expect(words[0]).toBe('2 earlier, zoom in to see them');
    expect(words.at(-1)).toMatch(/: at 6$/);
  });

  test('are made of events, by the clock of the page', () => {
    const event: ActivityEvent = {
      id: '1-a',
      at: '2026-01-01T12:00:10.000Z',
      kind: 'server.unreachable',
      level: 'warning',
      subject: { type: 'server', name: 'a:1' },
      message: 'Server a:1\u202e does not answer.',
      cause: 'connect ECONNREFUSED',
      instance: 'http://x',
    };
    expect(marksOf([event, { ...event, id: '2-a', cause: null }], 3000)).toEqual([
      {
        id: '1-a',
        second: Date.parse('2026-01-01T12:00:07.000Z') / 1000,
        level: 'warning',
        words: 'Server a:1\\u{202e} does not answer. Connect ECONNREFUSED.',
      },
      expect.objectContaining({ words: 'Server a:1\\u{202e} does not answer.' }),
    ]);
  });
});

describe('a chart in words', () => {
  const seconds = [0, 100, 400, 500];
  test('tells the lowest, the highest and how long nothing was known', () => {
    expect(lineWords('Last hour', seconds, [3, 12, 4, 4], range)).toBe(
      'Last hour: lowest 3, highest 12.',
    );
    expect(lineWords('Last hour', seconds, [3, null, 4, 4], range)).toBe(
      'Last hour: lowest 3, highest 4, not known for 5 min.',
    );
    expect(lineWords('Last hour', seconds, [null, null, null, null], range)).toBe(
      'Last hour: not known.',
    );
    // Numbers out of the range do not count. The one that holds at its beginning does.
    expect(lineWords('x', seconds, [99, 5, 6, 99], { from: 150, to: 450 })).toBe(
      'x: lowest 5, highest 6.',
    );
  });

  test('tells a moment, and that a number is not known there', () => {
    const series = [
      { label: 'connections', color: '', values: [3, null] },
      { label: 'rooms', color: '', values: [1, 0] },
    ];
    expect(momentWords([0, 10], series, 5)).toMatch(/: 3 connections, 1 rooms$/);
    expect(momentWords([0, 10], series, 10)).toMatch(/: connections not known, 0 rooms$/);
    expect(momentWords([0, 10], series, 5, [0, 1])).toMatch(/, 1 rooms, some servers missing$/);
    expect(momentWords([0, 10], series, 10, [0, 1])).toMatch(/, 0 rooms$/);
    expect(momentWords([100], series, 10)).toMatch(/: connections not known, rooms not known$/);
  });
});
