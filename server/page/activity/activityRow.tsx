import { useMemo } from 'preact/hooks';
import type { ActivityEvent } from '../../wire/activityEvent.js';
import { clockSkewMs } from '../api.js';
import { asSentence } from '../charts/activityMarks.js';
import { visible } from '../model/roomNames.js';
import { agoText, Moment } from '../ui/moment.js';
import { age, timeSpan, wholeTime } from '../ui/time.js';
import type { ActivityRow } from './activityRows.js';
import { LinkedMessage } from './activitySubject.js';
import { kindWords } from './kindWords.js';

/** The properties of `EventRow`. */
export interface EventRowProps {
  event: ActivityEvent;
  /** 0 for the row that Tab reaches, -1 for the others. */
  tabIndex: number;
  /** Whether it came while the page was open. */
  isNew: boolean;
  /** Whether to say which instance noted it. */
  withInstance: boolean;
  /** Grows when links may lead elsewhere. */
  linksVersion: unknown;
}

/** One event. Memoized, because there may be 500 of them, and their ages change. */
export function EventRow({ event, tabIndex, isNew, withInstance, linksVersion }: EventRowProps) {
  const text = agoText(event.at);
  return useMemo(() => {
    const { label, tone } = kindWords(event.kind);
    return (
      <li
        class={`activity-row moment-row ${isNew ? 'changed' : ''}`}
        data-event={event.id}
        data-kind={event.kind}
        tabIndex={tabIndex}
      >
        <span>
          <span class={`badge ${tone}`}>{label}</span>
        </span>
        <span class="activity-what">
          <span>
            <LinkedMessage event={event} tabIndex={tabIndex} />
          </span>
          {event.cause !== null && (
            <span class="activity-cause">{visible(asSentence(event.cause))}</span>
          )}
          {withInstance && <span class="quiet small">Noted by {visible(event.instance)}</span>}
        </span>
        <span class="activity-when quiet">
          <Moment at={event.at} text={text} />
        </span>
      </li>
    );
  }, [event, tabIndex, isNew, withInstance, linksVersion, text]);
}

/** Times in which nobody looked. */
export function GapRow({ gap }: { gap: Extract<ActivityRow, { type: 'gap' }> }) {
  const { fromMs, toMs, times, lastsMs } = gap;
  const [from, to] = [fromMs - clockSkewMs.value, toMs - clockSkewMs.value];
  const when = Number.isFinite(to) ? timeSpan(from, to) : `since ${wholeTime(from)}`;
  const how =
    times === 1
      ? `Nobody looked for ${age(lastsMs)}`
      : `Nobody looked ${times} times, ${age(lastsMs)} in all`;
  return (
    <li class="activity-gap" data-gap={times}>
      <span>
        {Number.isFinite(lastsMs) ? how : 'Nobody looked'}: nothing was noted of servers and rooms
      </span>{' '}
      <span class="small">({when})</span>
    </li>
  );
}
