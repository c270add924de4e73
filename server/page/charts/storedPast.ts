import type { HistoryTimes } from '../../wire/historyReport.js';
import { isGap, type TimePoint, type Values } from './timeline.js';

/** An answer of `GET /api/history`: numbers by name, and their times. */
export type Stored = HistoryTimes & Readonly<Record<string, unknown>>;

/**
 * The numbers of these names as points, by the clock of this page: `skewMs` is what the clock of the service is
 * ahead. If the service does not go on counting, a gap begins at the end.
 */
export function pointsOf(stored: Stored, names: readonly string[], skewMs: number): TimePoint[] {
  const { step, from, active } = stored;
  if (from === null) return [];
  const first = Math.floor((Date.parse(from) - skewMs) / 1000);
  const columns = names.map((name) => [name, (stored[name] ?? []) as readonly Entry[]] as const);
  const length = columns[0]?.[1].length ?? 0;
  const valuesAt = (i: number): Values => {
    // A flag tells something of numbers. Without any it is a gap.
    const isKnown = columns.some(([, entries]) => typeof entries[i] === 'number');
    if (!isKnown) return {};
    return Object.fromEntries(columns.map(([name, entries]) => [name, numberOf(entries[i])]));
  };
  const points = Array.from({ length }, (_, i) => ({
    second: first + i * step,
    values: valuesAt(i),
  }));
  if (!active) points.push({ second: first + length * step, values: {} });
  return points.filter(isNotRepeatedGap);
}

type Entry = number | boolean | null | undefined;

/** A flag is 1 or 0. */
const numberOf = (entry: Entry) => (typeof entry === 'boolean' ? Number(entry) : (entry ?? null));

const daySeconds = 30;

/** The half minutes of the day before the seconds of the last minutes. */
export function joined(day: readonly TimePoint[], minutes: readonly TimePoint[]) {
  const from = minutes[0]?.second ?? Number.POSITIVE_INFINITY;
  const lengthOf = (point: TimePoint) => (isGap(point) ? 1 : daySeconds);
  return [...day.filter((point) => point.second + lengthOf(point) <= from), ...minutes];
}

/** A gap is one point: it lasts until the next number. */
const isNotRepeatedGap = (point: TimePoint, i: number, points: readonly TimePoint[]) => {
  const before = points[i - 1];
  return !isGap(point) || !before || !isGap(before);
};
