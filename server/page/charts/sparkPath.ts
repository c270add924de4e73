import type { Numbers } from './rows.js';

/** A small line of numbers, for an SVG. */
export interface SparkLine {
  /** Commands of an SVG path. */
  readonly path: string;
  /** The last number that is known, and where it ends; undefined: none. */
  readonly end: { readonly x: number; readonly y: number } | undefined;
}

export interface SparkBox {
  readonly width: number;
  readonly height: number;
  /** How many numbers fill the width. Fewer begin later: the newest is always on the right. */
  readonly length: number;
}

const round = (pixels: number) => Math.round(pixels * 10) / 10;

/**
 * Steps from number to number. 0 is at the bottom, the highest at the top. Null ends a line, and the next number
 * begins another one.
 */
export function sparkLine(numbers: Numbers, { width, height, length }: SparkBox): SparkLine {
  const shown = numbers.slice(-length);
  const step = width / length;
  const first = width - shown.length * step;
  const highest = Math.max(1, ...shown.map((number) => number ?? 0));
  const commands: string[] = [];
  let end: SparkLine['end'];
  for (const [i, number] of shown.entries()) {
    if (number === null) continue;
    const [x, y] = [round(first + i * step), round(height - (number / highest) * height)];
    const isBegin = i === 0 || shown[i - 1] === null;
    if (isBegin) commands.push(`M${x} ${y}`);
    else if (number !== shown[i - 1]) commands.push(`V${y}`);
    const to = round(first + (i + 1) * step);
    // A number that stays is one long step.
    if (shown[i + 1] !== number) commands.push(`H${to}`);
    end = { x: to, y };
  }
  return { path: commands.join(''), end };
}
