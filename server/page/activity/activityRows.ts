import type { ActivityEvent } from '../../wire/activityEvent.js';
import type { Gap } from '../../wire/observationsReport.js';

/** A time in which nobody looked, in milliseconds by the service's clock. */
export interface Unwatched {
  fromMs: number;
  /** Infinity: it continues. */
  toMs: number;
}

/** A row of the activity. */
export type ActivityRow =
  | { type: 'event'; event: ActivityEvent }
  /** Times in which nobody looked, between two events. */
  | { type: 'gap'; fromMs: number; toMs: number; times: number; lastsMs: number };

/** Shorter gaps are those of a page that was reloaded. */
const leastGapMs = 10_000;

/** The times without a viewer, oldest first. */
export const unwatchedTimes = (gaps: readonly Gap[]): Unwatched[] =>
  gaps
    .filter(({ reason }) => reason === 'unwatched')
    .map(({ from, to }) => ({
      fromMs: Date.parse(from),
      toMs: to === null ? Number.POSITIVE_INFINITY : Date.parse(to),
    }))
    .filter(({ fromMs, toMs }) => toMs - fromMs >= leastGapMs);

/**
 * The rows, newest first: the events, and between them the times in which nobody looked. What is before the
 * oldest event is left out. `events` and `unwatched` are oldest first.
 */
export function activityRows(
  events: readonly ActivityEvent[],
  unwatched: readonly Unwatched[],
): ActivityRow[] {
  const rows: ActivityRow[] = [];
  const sinceMs = Date.parse(events[0]?.at ?? '');
  let next = 0;
  const passGaps = (untilMs: number, isKept: boolean) => {
    const passed: Unwatched[] = [];
    for (let gap = unwatched[next]; gap && gap.toMs <= untilMs; gap = unwatched[next]) {
      const fromMs = Math.max(gap.fromMs, sinceMs);
      if (gap.toMs - fromMs >= leastGapMs) passed.push({ ...gap, fromMs });
      next += 1;
    }
    if (isKept && passed.length > 0) rows.push(gapRow(passed));
  };
  for (const [i, event] of events.entries()) {
    passGaps(Date.parse(event.at), i > 0);
    rows.push({ type: 'event', event });
  }
  passGaps(Number.POSITIVE_INFINITY, events.length > 0);
  return rows.reverse();
}

function gapRow(gaps: readonly Unwatched[]): ActivityRow {
  const lastsMs = gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const [fromMs, toMs] = [gaps[0]?.fromMs ?? 0, gaps.at(-1)?.toMs ?? 0];
  return { type: 'gap', fromMs, toMs, times: gaps.length, lastsMs };
}
