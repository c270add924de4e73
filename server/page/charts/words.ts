import { formatNumber } from '../ui/numbers.js';
import { age, dayTime } from '../ui/time.js';
import type { ChartSeries } from './chartSeries.js';
import type { PlacedMarks } from './marks.js';
import type { TimeRange } from './ranges.js';
import { gapsIn, type Numbers, rowAt, rowsIn } from './rows.js';

/** Said of numbers in which some servers are missing. */
export const partialWords = 'some servers missing';

/** Marks that are told of at a time. */
export const maxTold = 4;

/** A number of a chart, or that it is not known. */
export const numberWords = (value: number | null): string =>
  value === null ? 'not known' : formatNumber(value);

/** The number of a line at a moment; null: not known. */
export const valueAt = (seconds: readonly number[], line: Numbers, second: number): number | null =>
  line[rowAt(seconds, second)] ?? null;

/** Whether some servers were missing in the numbers of a moment. */
export const isPartialAt = (seconds: readonly number[], complete: Numbers, second: number) =>
  valueAt(seconds, complete, second) === 0;

/** A moment in words: `14:03:59: 12 connections, 3 rooms, some servers missing`. */
export function momentWords(
  seconds: readonly number[],
  series: readonly ChartSeries[],
  second: number,
  complete: Numbers = [],
): string {
  const told = series.map(({ label, values }) => {
    const value = valueAt(seconds, values, second);
    return value === null ? `${label} not known` : `${numberWords(value)} ${label}`;
  });
  if (isPartialAt(seconds, complete, second)) told.push(partialWords);
  return `${dayTime(second * 1000)}: ${told.join(', ')}`;
}

/** What happened, oldest first: the newest `maxTold`, and how many more. */
export function markWords({ marks }: PlacedMarks): string[] {
  const told = marks.slice(-maxTold);
  const more = marks.length - told.length;
  return [
    ...(more > 0 ? [`${formatNumber(more)} earlier, zoom in to see them`] : []),
    ...told.map(({ second, words }) => `${dayTime(second * 1000)}: ${words}`),
  ];
}

/** A line in words, for screen readers: `Last hour: lowest 3, highest 12, not known for 4 min.` */
export function lineWords(
  head: string,
  seconds: readonly number[],
  line: Numbers,
  range: TimeRange,
): string {
  const [first, end] = rowsIn(seconds, range);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = first; i < end; i += 1) {
    const value = line[i];
    if (value == null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return `${head}: not known.`;
  const unknown = gapsIn(seconds, [line], range).reduce((sum, { from, to }) => sum + to - from, 0);
  const numbers = `lowest ${formatNumber(low)}, highest ${formatNumber(high)}`;
  return unknown < 1
    ? `${head}: ${numbers}.`
    : `${head}: ${numbers}, not known for ${age(unknown * 1000)}.`;
}
