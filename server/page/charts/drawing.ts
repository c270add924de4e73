import { shareOf, type TimeRange } from './ranges.js';
import { type Numbers, rowsIn } from './rows.js';

/** Pixels around the area that shows the lines: numbers, times, and marks above. */
export const around = { left: 44, right: 24, top: 24, bottom: 26 };
export const plotHeight = 164;
/** Pixels of the area that shows the lines. */
export const areaHeight = plotHeight - around.top - around.bottom;
export const areaWidth = (width: number) => Math.max(0, width - around.left - around.right);

/** Where moments and numbers are in the area, in pixels from its left and its top. */
export interface Scale {
  /** The number at the top of the area. 0 is at the bottom. */
  readonly highest: number;
  readonly toX: (second: number) => number;
  readonly toY: (value: number) => number;
}

/** A chart of less is not higher: few connections do not look like many. */
const leastHighest = 4;
const headroom = 1.15;

/** The scale of an area of so many pixels, in which all lines of a range fit. */
export function scaleOf(
  seconds: readonly number[],
  lines: readonly Numbers[],
  range: TimeRange,
  width: number,
): Scale {
  const [first, end] = rowsIn(seconds, range);
  let largest = 0;
  for (const line of lines)
    for (let i = first; i < end; i += 1) largest = Math.max(largest, line[i] ?? 0);
  const highest = Math.max(leastHighest, largest * headroom);
  return {
    highest,
    toX: (second) => shareOf(second, range) * width,
    toY: (value) => (1 - value / highest) * areaHeight,
  };
}
