import { useMemo } from 'preact/hooks';
import type { ActivityEvent } from '../../wire/activityEvent.js';
import { clockSkewMs } from '../api.js';
import { marksOf } from './activityMarks.js';
import type { ChartMark } from './marks.js';

/** Events as marks of charts, by the clock of this page. */
export function useMarks(events: readonly ActivityEvent[]): readonly ChartMark[] {
  const skewMs = clockSkewMs.value;
  return useMemo(() => marksOf(events, skewMs), [events, skewMs]);
}
