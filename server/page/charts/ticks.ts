import type { TimeRange } from './ranges.js';

/** Numbers or seconds on an axis, and what is between two of them. */
export interface Ticks {
  readonly step: number;
  readonly values: readonly number[];
}

/** At least so many pixels between two ticks. */
const [numberPixels, timePixels] = [34, 70];

const wholeSteps = Array.from({ length: 16 }, (_, power) => 10 ** power).flatMap((power) => [
  power,
  2 * power,
  5 * power,
]);

const [minute, hour] = [60, 3600];
const timeSteps = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((step) => step * minute),
  ...[1, 2, 3, 6, 12, 24].map((step) => step * hour),
];

/** Whole numbers from 0 to the highest, on an axis of so many pixels. */
export const numberTicks = (highest: number, pixels: number): Ticks =>
  ticksOf(wholeSteps, { from: 0, to: highest }, pixels / numberPixels);

/** Full minutes, hours and so on of the browser's time zone, on an axis of so many pixels. */
export function timeTicks({ from, to }: TimeRange, pixels: number): Ticks {
  const zone = new Date(to * 1000).getTimezoneOffset() * minute;
  const local = { from: from - zone, to: to - zone };
  const { step, values } = ticksOf(timeSteps, local, pixels / timePixels);
  return { step, values: values.map((second) => second + zone) };
}

/** Uses the smallest step that makes at most `most` ticks. */
function ticksOf(steps: readonly number[], { from, to }: TimeRange, most: number): Ticks {
  const least = (to - from) / Math.max(1, most);
  const step = steps.find((each) => each >= least) ?? Math.ceil(least);
  const first = Math.ceil(from / step);
  const count = Math.max(0, Math.floor(to / step) - first + 1);
  return { step, values: Array.from({ length: count }, (_, i) => (first + i) * step) };
}
