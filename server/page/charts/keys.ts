import type { PlacedMarks } from './marks.js';
import { halfAround, type TimeRange } from './ranges.js';

/** What a key does in a chart. */
export type ChartAction =
  /** Moves the cursor, to seconds since 1970. */
  { kind: 'point'; second: number } | { kind: 'zoom'; range: TimeRange } | { kind: 'back' };

/** Steps of the arrow keys in a range. */
const smallSteps = 100;
const largeSteps = 10;

/** What a key means with the cursor at a moment; undefined: nothing here. */
export function actionOf(
  key: string,
  range: TimeRange,
  at: number | undefined,
): ChartAction | undefined {
  const length = range.to - range.from;
  // The first arrow shows the cursor at the newest moment.
  const move = (by: number) => point(at === undefined ? range.to : at + by);
  const point = (second: number): ChartAction => ({
    kind: 'point',
    second: Math.min(Math.max(second, range.from), range.to),
  });
  const actions: Record<string, () => ChartAction> = {
    ArrowLeft: () => move(-length / smallSteps),
    ArrowRight: () => move(length / smallSteps),
    PageDown: () => move(-length / largeSteps),
    PageUp: () => move(length / largeSteps),
    Home: () => point(range.from),
    End: () => point(range.to),
    '+': () => ({ kind: 'zoom', range: halfAround(at ?? range.to, range) }),
    '-': () => ({ kind: 'back' }),
    Escape: () => ({ kind: 'back' }),
  };
  const known = key === '=' ? '+' : key;
  return Object.hasOwn(actions, known) ? actions[known]?.() : undefined;
}

/** The marks to go to with an arrow key, from those at an index; undefined: another key. */
export function nextMarks(
  key: string,
  placed: readonly PlacedMarks[],
  index: number,
): number | undefined {
  const last = placed.length - 1;
  if (key === 'ArrowLeft') return Math.max(0, index - 1);
  if (key === 'ArrowRight') return Math.min(last, index + 1);
  if (key === 'Home') return 0;
  if (key === 'End') return last;
  return undefined;
}
