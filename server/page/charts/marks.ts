import { shareOf, type TimeRange } from './ranges.js';

/** Something that happened, marked in charts. */
export interface ChartMark {
  /** Names it among others. */
  readonly id: string;
  /** Since 1970, by the clock of this page. */
  readonly second: number;
  readonly level: 'info' | 'warning';
  /** What happened, in one or two sentences. */
  readonly words: string;
}

/** Marks that are too close to each other to be drawn apart. */
export interface PlacedMarks {
  /** Pixels from the beginning of the range to the oldest of them. */
  readonly x: number;
  /** Oldest first; never empty. */
  readonly marks: readonly [ChartMark, ...ChartMark[]];
  readonly level: ChartMark['level'];
}

/** Pixels between two marks, so that each can be hit with a finger. */
export const markDistance = 24;

/** Places the marks of a range of so many pixels. Marks closer than `markDistance` are joined. */
export function placeMarks(
  marks: readonly ChartMark[],
  range: TimeRange,
  width: number,
): PlacedMarks[] {
  const placed: PlacedMarks[] = [];
  const inside = marks
    .filter(({ second }) => second >= range.from && second <= range.to)
    .sort((one, other) => one.second - other.second);
  for (const mark of inside) {
    const x = shareOf(mark.second, range) * width;
    const before = placed.at(-1);
    if (before && x - before.x < markDistance) placed[placed.length - 1] = joined(before, mark);
    else placed.push({ x, marks: [mark], level: mark.level });
  }
  return placed;
}

const joined = ({ x, marks, level }: PlacedMarks, mark: ChartMark): PlacedMarks => ({
  x,
  marks: [...marks, mark],
  level: level === 'warning' ? level : mark.level,
});

/** The marks that are within so many pixels of a moment; undefined: none. */
export function marksNear(
  placed: readonly PlacedMarks[],
  x: number,
  within: number,
): PlacedMarks | undefined {
  const byDistance = placed
    .map((each) => ({ each, distance: Math.abs(each.x - x) }))
    .filter(({ distance }) => distance <= within)
    .sort((one, other) => one.distance - other.distance);
  return byDistance[0]?.each;
}
