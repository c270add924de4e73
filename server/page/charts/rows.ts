import type { TimeRange } from './ranges.js';

/** Numbers of one line of a chart, one for each second. Null: not known. */
export type Numbers = readonly (number | null)[];

/** Index of the point that holds at a moment: the last one that is not later; -1: none. */
export function rowAt(seconds: readonly number[], second: number): number {
  let [low, high] = [0, seconds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((seconds[middle] ?? 0) <= second) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The points that tell of a range, from the one that holds at its beginning: `[first, end)`. */
export function rowsIn(seconds: readonly number[], { from, to }: TimeRange): [number, number] {
  return [Math.max(0, rowAt(seconds, from)), rowAt(seconds, to) + 1];
}

/** The times in which no line has a number, from the first point on, as far as they are in the range. */
export const gapsIn = (
  seconds: readonly number[],
  lines: readonly Numbers[],
  range: TimeRange,
): TimeRange[] => timesOf(seconds, (i) => lines.every((line) => line[i] == null), range);

/** The times in which some servers were missing in the numbers. `complete`: 0 where they were. */
export const partialIn = (
  seconds: readonly number[],
  complete: Numbers,
  range: TimeRange,
): TimeRange[] => timesOf(seconds, (i) => complete[i] === 0, range);

/** The times of points for which something is true, joined, as far as they are in the range. */
function timesOf(
  seconds: readonly number[],
  isTrue: (i: number) => boolean,
  range: TimeRange,
): TimeRange[] {
  const times: TimeRange[] = [];
  const [first, end] = rowsIn(seconds, range);
  let from: number | undefined;
  for (let i = first; i < end; i += 1) {
    const second = Math.max(seconds[i] ?? 0, range.from);
    if (isTrue(i)) from ??= second;
    else if (from !== undefined) {
      if (second > from) times.push({ from, to: second });
      from = undefined;
    }
  }
  if (from !== undefined && range.to > from) times.push({ from, to: range.to });
  return times;
}
