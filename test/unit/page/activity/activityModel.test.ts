import { describe, expect, test } from '@jest/globals';
import {
  aboutText,
  filterOf,
  isFiltering,
  isShown,
} from '../../../../server/page/activity/activityFilter.js';
import { activityRows, unwatchedTimes } from '../../../../server/page/activity/activityRows.js';
import { kindGroups, kindWords } from '../../../../server/page/activity/kindWords.js';
import { nextIndex } from '../../../../server/page/activity/useListKeys.js';
import { maxEvents, mergedEvents } from '../../../../server/page/model/mergedEvents.js';
import type { ActivityEvent } from '../../../../server/wire/activityEvent.js';

const startMs = Date.UTC(2026, 0, 1, 12);

/** An event at a second after the start. */
const eventAt = (second: number, changed: Partial<ActivityEvent> = {}): ActivityEvent => {
  const ms = startMs + second * 1000;
  return {
    id: `${ms * 1000}-9f3a1c07`,
    at: new Date(ms).toISOString(),
    kind: 'server.unreachable',
    level: 'warning',
    subject: { type: 'server', name: '10.0.0.3:8001' },
    message: 'Pub-sub server web-3 (10.0.0.3:8001) does not answer.',
    cause: 'connection refused',
    instance: 'http://10.0.0.5:8000',
    ...changed,
  };
};

describe('events of two answers', () => {
  const events = [1, 2, 3].map((second) => eventAt(second));

  test('are one list by time, each once', () => {
    const [one, two, three] = events;
    if (!one || !two || !three) throw new Error('three events');
    expect(mergedEvents([two], [one, two, three])).toEqual(events);
    // Of another instance, in the same second.
    const other = eventAt(2, { id: `${(startMs + 2500) * 1000}-00000000` });
    expect(mergedEvents(events, [other])).toEqual([one, two, other, three]);
  });

  test('are the same list if there is nothing new', () => {
    expect(mergedEvents(events, [...events])).toBe(events);
  });

  test('are as many as the service keeps, the newest', () => {
    const many = Array.from({ length: maxEvents }, (_, second) => eventAt(second));
    const merged = mergedEvents(many, [eventAt(maxEvents)]);
    expect(merged).toHaveLength(maxEvents);
    expect(merged.at(-1)).toEqual(eventAt(maxEvents));
    expect(merged[0]).toEqual(many[1]);
  });
});

describe('the filter of the activity', () => {
  const filter = (query: string) => filterOf(new URLSearchParams(query));
  const shows = (query: string, changed: Partial<ActivityEvent> = {}) =>
    isShown(eventAt(1, changed), filter(query));

  test('is none without a query', () => {
    expect(isFiltering(filter(''))).toBe(false);
    expect(isFiltering(filter('q=%20'))).toBe(false);
    expect(shows('')).toBe(true);
  });

  test.each(['kind=server', 'level=warning', 'about=room:a', 'q=x'])('is set by %s', (query) => {
    expect(isFiltering(filter(query))).toBe(true);
  });

  test('takes one kind, or all kinds of a subject', () => {
    expect(shows('kind=server.unreachable')).toBe(true);
    expect(shows('kind=server.stale')).toBe(false);
    expect(shows('kind=server')).toBe(true);
    expect(shows('kind=serv')).toBe(false);
    expect(shows('kind=server', { kind: 'room.diverged' })).toBe(false);
  });

  test('takes problems only', () => {
    expect(shows('level=warning')).toBe(true);
    expect(shows('level=warning', { level: 'info' })).toBe(false);
    // Nobody can set this on the page.
    expect(shows('level=info', { level: 'info' })).toBe(true);
  });

  test('takes what is about one server, room, instance or dependency', () => {
    const room = { type: 'room', name: 'a:b & c?' } as const;
    const about = new URLSearchParams({ about: aboutText(room) }).toString();
    expect(shows(about, { subject: room })).toBe(true);
    expect(shows(about)).toBe(false);
    expect(shows('about=server:10.0.0.3:8001')).toBe(true);
    expect(shows('about=room:10.0.0.3:8001')).toBe(false);
    expect(filter('about=nonsense').about).toBeUndefined();
  });

  test.each([
    ['message', 'does NOT'],
    ['cause', 'refused'],
    ['label', 'unreach'],
    ['subject', '0.3:80'],
  ])('searches the %s, ignoring case', (_, text) => {
    expect(shows(new URLSearchParams({ q: text }).toString())).toBe(true);
    expect(shows('q=nowhere')).toBe(false);
  });

  test('searches the names of rooms raw and decoded', () => {
    const subject = { type: 'room', name: 'weekly%20notes' } as const;
    expect(shows('q=weekly%20n', { subject })).toBe(true);
    expect(shows('q=weekly%2520n', { subject })).toBe(true);
  });
});

describe('the rows of the activity', () => {
  const gap = (from: number, to: number) => ({
    fromMs: startMs + from * 1000,
    toMs: startMs + to * 1000,
  });
  const shown = (seconds: readonly number[], gaps: readonly (readonly [number, number])[]) =>
    activityRows(
      seconds.map((second) => eventAt(second)),
      gaps.map(([from, to]) => gap(from, to)),
    ).map((row) =>
      row.type === 'event'
        ? (Date.parse(row.event.at) - startMs) / 1000
        : `${row.times} gap of ${row.lastsMs / 1000} s`,
    );

  test('are the events, the newest first', () => {
    expect(shown([1, 2, 3], [])).toEqual([3, 2, 1]);
    expect(shown([], [[1, 100]])).toEqual([]);
  });

  test('say between which events nobody looked', () => {
    expect(shown([0, 100, 200], [[20, 50]])).toEqual([200, 100, '1 gap of 30 s', 0]);
  });

  test('say once that nobody looked, however often', () => {
    const gaps = [
      [10, 30],
      [40, 80],
      [120, 150],
    ] as const;
    expect(shown([0, 100], gaps)).toEqual(['1 gap of 30 s', 100, '2 gap of 60 s', 0]);
  });

  test('do not say so before the oldest event', () => {
    expect(shown([100], [[10, 30]])).toEqual([100]);
    expect(shown([100], [[10, 130]])).toEqual(['1 gap of 30 s', 100]);
    expect(shown([100], [[10, 105]])).toEqual([100]);
  });

  test('take only the times without a viewer, unless they are short', () => {
    const at = (second: number) => new Date(startMs + second * 1000).toISOString();
    const gaps = [
      { from: at(0), to: at(60), reason: 'incomplete' },
      { from: at(60), to: at(65), reason: 'unwatched' },
      { from: at(70), to: at(90), reason: 'unwatched' },
      { from: at(95), to: null, reason: 'unwatched' },
    ] as const;
    expect(unwatchedTimes(gaps)).toEqual([
      gap(70, 90),
      { fromMs: startMs + 95_000, toMs: Number.POSITIVE_INFINITY },
    ]);
    expect(shown([80], [[95, Number.POSITIVE_INFINITY]])).toEqual(['1 gap of Infinity s', 80]);
  });
});

test('every kind has words, and one that is not known is shown as it is', () => {
  expect(kindGroups.map(({ kinds }) => kinds.length)).toEqual([8, 2, 5, 2]);
  expect(kindWords('server.deaf')).toEqual({ label: 'Deaf', tone: 'bad' });
  for (const kind of ['server.moved', 'constructor', '__proto__'])
    expect(kindWords(kind)).toEqual({ label: kind, tone: '' });
});

test('the arrow keys, Home and End move between rows, and stop at the ends', () => {
  const from = (key: string, at: number) => nextIndex(key, at, 5);
  expect([from('ArrowDown', 0), from('ArrowDown', 4)]).toEqual([1, 4]);
  expect([from('ArrowUp', 3), from('ArrowUp', 0)]).toEqual([2, 0]);
  expect([from('Home', 3), from('End', 3), from('x', 3), from('toString', 3)]).toEqual([
    0,
    4,
    undefined,
    undefined,
  ]);
});
