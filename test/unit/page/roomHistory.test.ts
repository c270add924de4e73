import { describe, expect, test } from '@jest/globals';
import { Timeline } from '../../../server/page/charts/timeline.js';
import { openedByHour } from '../../../server/page/room/openedByHour.js';
import { maxLines, roomLines, valuesOf } from '../../../server/page/room/roomLines.js';
import { sinceWords } from '../../../server/page/room/sinceWords.js';
import type { RoomCounts } from '../../../server/wire/roomCounts.js';

const counts = (servers: Record<string, number> | null, complete = true): RoomCounts => ({
  room: 'r',
  connections: servers && Object.values(servers).reduce((sum, count) => sum + count, 0),
  complete,
  servers: servers && Object.entries(servers).map(([id, connections]) => ({ id, connections })),
});
const look = (id: string) => ({ shortName: id.toUpperCase(), color: `color of ${id}` });

describe('the lines of a room', () => {
  test('are its connections alone while one server has it', () => {
    const past = new Timeline();
    past.record(1000, valuesOf(counts({ a: 2 }), past.names));
    expect(roomLines(past, look)).toEqual({
      series: [{ label: 'connections', color: 'var(--series-1)', values: [2] }],
      leftOut: 0,
    });
  });

  test('are the total and one for each server, the busiest first', () => {
    const past = new Timeline();
    past.record(1000, valuesOf(counts({ a: 2 }), past.names));
    past.record(2000, valuesOf(counts({ a: 1, b: 3 }), past.names));
    const { series } = roomLines(past, look);
    expect(series.map(({ label, values }) => [label, values])).toEqual([
      ['all servers', [2, 4]],
      // Before it was there it is not known.
      ['B', [null, 3]],
      ['A', [2, 1]],
    ]);
  });

  test('of a server that has left are 0 if all are counted, else not known', () => {
    const before = ['connections', 'server b'];
    expect(valuesOf(counts({ a: 1 }), before)['server b']).toBe(0);
    expect(valuesOf(counts({ a: 1 }, false), before)['server b']).toBeNull();
  });

  test('have a gap while nothing is known, or 0 without all servers', () => {
    expect(valuesOf(counts(null), ['server b'])).toEqual({});
    expect(valuesOf(counts({}, false), ['server b'])).toEqual({});
    expect(valuesOf(counts({}), ['server b'])).toEqual({
      'server b': 0,
      connections: 0,
      complete: 1,
    });
    expect(valuesOf(counts({ a: 1 }, false), []).complete).toBe(0);
  });

  test('of many servers are limited, and say how many are left out', () => {
    const past = new Timeline();
    const many = Object.fromEntries(Array.from({ length: maxLines + 3 }, (_, i) => [`s${i}`, i]));
    past.record(1000, valuesOf(counts(many), past.names));
    const { series, leftOut } = roomLines(past, look);
    expect([series.length, leftOut, series[1]?.label]).toEqual([maxLines + 1, 3, 'S10']);
  });
});

test('connections are counted by hour, also hours without any', () => {
  const at = (time: string) => ({ timestamp: `2026-01-01T${time}:00.000Z` });
  const ms = (time: string) => Date.parse(at(time).timestamp);
  const opened = [at('10:05'), at('10:59'), at('12:00')];
  expect(openedByHour(opened, ms('10:05'), ms('13:30'))).toEqual([
    { fromMs: ms('10:00'), count: 2 },
    { fromMs: ms('11:00'), count: 0 },
    { fromMs: ms('12:00'), count: 1 },
    { fromMs: ms('13:00'), count: 0 },
  ]);
  expect(openedByHour([], ms('10:05'), ms('10:06'))).toEqual([{ fromMs: ms('10:00'), count: 0 }]);
});

describe('since when a person is there', () => {
  const lookedSince = '2026-01-01T12:00:00.000Z';
  const words = (since: string) => sinceWords(since, lookedSince, 0);

  test('is when the service heard of them', () => {
    expect(words('2026-01-01T12:05:00.000Z')).toMatch(/^since .*:05:00$/);
    expect(sinceWords('2026-01-01T12:05:00.000Z', null, 5000)).toMatch(/^since .*:04:55$/);
  });

  test('may be earlier if that was as soon as it looked', () => {
    expect(words('2026-01-01T12:00:15.000Z')).toMatch(/:15 or earlier$/);
    expect(words('2026-01-01T12:00:16.000Z')).toMatch(/:16$/);
  });
});
