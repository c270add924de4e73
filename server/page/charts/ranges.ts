/** A part of time, in seconds since 1970 by the clock of this page. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** How far back charts go. */
export type RangeKind = 'minutes' | 'hour' | 'opened' | 'day';

/** What a range is called, on its button and in sentences. */
export const rangeWords: Readonly<Record<RangeKind, { short: string; long: string }>> = {
  minutes: { short: '5 min', long: 'Last 5 minutes' },
  hour: { short: '1 h', long: 'Last hour' },
  opened: { short: 'Since opened', long: 'Since this page was opened' },
  day: { short: '24 h', long: 'Last 24 hours' },
};

const lengths = { minutes: 300, hour: 3600, day: 86_400 };
/** A page that was just opened shows this much. */
const leastSeconds = 30;
/** A shorter part is not zoomed to. */
export const leastZoomSeconds = 10;

/** The time that a range means now. */
export function rangeOf(kind: RangeKind, nowSecond: number, openedSecond: number): TimeRange {
  const length = kind === 'opened' ? nowSecond - openedSecond : lengths[kind];
  return { from: nowSecond - Math.max(length, leastSeconds), to: nowSecond };
}

/** A range between two moments, in any order; at least `leastZoomSeconds` long, and inside of `whole`. */
export function rangeBetween(one: number, other: number, whole: TimeRange): TimeRange {
  const length = Math.min(Math.max(Math.abs(other - one), leastZoomSeconds), whole.to - whole.from);
  const middle = (one + other) / 2;
  const from = Math.min(Math.max(middle - length / 2, whole.from), whole.to - length);
  return { from, to: from + length };
}

/** Half of a range, around a moment. */
export function halfAround(moment: number, range: TimeRange): TimeRange {
  const quarter = (range.to - range.from) / 4;
  return rangeBetween(moment - quarter, moment + quarter, range);
}

/** Where a moment is in a range: 0 at its beginning, 1 at its end. */
export const shareOf = (second: number, { from, to }: TimeRange): number =>
  (second - from) / (to - from);

/** The moment at a share of a range, from 0 to 1. */
export const momentAt = (share: number, { from, to }: TimeRange): number =>
  from + Math.min(Math.max(share, 0), 1) * (to - from);
