import type { Scale } from './drawing.js';
import type { TimeRange } from './ranges.js';
import { type Numbers, rowsIn } from './rows.js';

/** A line without gaps. */
export interface StepPath {
  /** Commands of an SVG path. */
  readonly path: string;
  /** Pixels from the left, where it begins. */
  readonly from: number;
}

const round = (pixels: number) => Math.round(pixels * 2) / 2;

/**
 * Steps, because a count stays the same until it changes: each number holds until the next point, the last one until
 * the end of the range. A gap begins where the number ends. Of many points in one column of pixels, only those are
 * drawn that make the line longer.
 */
export function stepPaths(
  seconds: readonly number[],
  values: Numbers,
  range: TimeRange,
  scale: Scale,
): StepPath[] {
  const paths: StepPath[] = [];
  const pen = new Pen();
  const end = (x: number) => {
    if (pen.isDown) paths.push(pen.lift(x));
  };
  const [first, until] = rowsIn(seconds, range);
  for (let i = first; i < until; i += 1) {
    const x = round(scale.toX(Math.max(seconds[i] ?? 0, range.from)));
    const value = values[i] ?? null;
    if (value === null) end(x);
    else pen.moveTo(x, round(scale.toY(value)));
  }
  end(round(scale.toX(range.to)));
  return paths;
}

/** Draws one path at a time. */
class Pen {
  isDown = false;
  #commands: string[] = [];
  #from = 0;
  /** The column, and what of it is drawn. */
  #x = 0;
  #low = 0;
  #high = 0;
  /** Where the pen is, and where the line is. */
  #drawn = 0;
  #y = 0;

  moveTo(x: number, y: number): void {
    if (!this.isDown) {
      this.isDown = true;
      this.#commands = [`M${x} ${y}`];
      this.#from = x;
      this.#begin(x, y);
    } else if (y !== this.#y) {
      if (x !== this.#x) this.#across(x);
      if (y < this.#low || y > this.#high) this.#draw(y);
    }
    this.#y = y;
  }

  /** Ends the path. */
  lift(x: number): StepPath {
    this.#across(x);
    this.isDown = false;
    return { path: this.#commands.join(''), from: this.#from };
  }

  #across(x: number): void {
    if (this.#drawn !== this.#y) this.#draw(this.#y);
    this.#commands.push(`H${x}`);
    this.#begin(x, this.#y);
  }

  #draw(y: number): void {
    this.#commands.push(`V${y}`);
    this.#drawn = y;
    this.#low = Math.min(this.#low, y);
    this.#high = Math.max(this.#high, y);
  }

  #begin(x: number, y: number): void {
    this.#x = x;
    this.#low = y;
    this.#high = y;
    this.#drawn = y;
    this.#y = y;
  }
}
