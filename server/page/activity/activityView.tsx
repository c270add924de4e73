import './activity.css';
import { useEffect, useRef } from 'preact/hooks';
import type { ActivityEvent } from '../../wire/activityEvent.js';
import type { ObservationsReport } from '../../wire/observationsReport.js';
import {
  activity,
  activityFailure,
  isActivityKnown,
  keepActivity,
  loadActivity,
} from '../model/activityLog.js';
import { maxEvents } from '../model/mergedEvents.js';
import { failingDependencies } from '../model/polling.js';
import { query } from '../router.js';
import { countWord, formatNumber } from '../ui/numbers.js';
import { usePolled } from '../usePolled.js';
import { ActivityControls, clearFilters } from './activityControls.js';
import { filterOf, isFiltering, isShown } from './activityFilter.js';
import { EventRow, GapRow } from './activityRow.js';
import { type ActivityRow, activityRows, unwatchedTimes } from './activityRows.js';
import { useListKeys } from './useListKeys.js';

const pollMs = 30_000;

/** What happened to servers, rooms, instances and dependencies, the newest first. */
export function ActivityView() {
  useEffect(keepActivity, []);
  const filter = filterOf(query.value);
  const shown = activity.value.filter((event) => isShown(event, filter));
  return (
    <section class="stack" aria-labelledby="activity-title">
      <div class="row">
        <h1 id="activity-title">Activity</h1>
        <span class="quiet" role="status">
          {isActivityKnown.value && summary(shown.length, activity.value.length)}
        </span>
      </div>
      <ActivityControls />
      <Content shown={shown} isFiltered={isFiltering(filter)} />
    </section>
  );
}

function summary(shown: number, all: number): string {
  const events = countWord(all, 'event');
  return shown < all ? `${formatNumber(shown)} of ${events}` : events;
}

function Content({ shown, isFiltered }: { shown: readonly ActivityEvent[]; isFiltered: boolean }) {
  if (!isActivityKnown.value && activityFailure.value) return <Failed />;
  if (!isActivityKnown.value) return <p class="empty">Loading …</p>;
  if (shown.length > 0) return <List events={shown} />;
  return isFiltered && activity.value.length > 0 ? <NoMatch /> : <NothingYet />;
}

function List({ events }: { events: readonly ActivityEvent[] }) {
  const [{ value: observations }] = usePolled<ObservationsReport>('api/observations', pollMs);
  const rows = activityRows(events, unwatchedTimes(observations?.gaps ?? []));
  const ids = rows.flatMap((row) => (row.type === 'event' ? [row.event.id] : []));
  const { tabbed, handlers } = useListKeys(ids, 'data-event');
  const opened = useOpened();
  const withInstance = new Set(activity.value.map(({ instance }) => instance)).size > 1;
  const linksVersion = failingDependencies.value;
  const rowOf = (row: ActivityRow) =>
    row.type === 'gap' ? (
      <GapRow key={`gap ${row.fromMs}`} gap={row} />
    ) : (
      <EventRow
        key={row.event.id}
        event={row.event}
        tabIndex={row.event.id === tabbed ? 0 : -1}
        isNew={!opened.has(row.event.id)}
        withInstance={withInstance}
        linksVersion={linksVersion}
      />
    );
  return (
    <div class="card flush">
      <ol class="activity" aria-labelledby="activity-title" {...handlers}>
        {rows.map(rowOf)}
      </ol>
      <p class="activity-end quiet small">{endWords()}</p>
    </div>
  );
}

/** The events that were there when the view was opened. */
function useOpened(): ReadonlySet<string> {
  const opened = useRef<ReadonlySet<string>>(undefined);
  const ids = opened.current ?? new Set(activity.peek().map(({ id }) => id));
  opened.current = ids;
  return ids;
}

const endWords = () =>
  activity.value.length >= maxEvents
    ? `The last ${maxEvents} events. Older ones are not kept.`
    : 'The service has kept no older ones.';

function Failed() {
  return (
    <div class="empty" role="alert">
      <h2>The activity could not be loaded</h2>
      <p>{activityFailure.value?.message}</p>
      <button type="button" class="button" onClick={() => void loadActivity()}>
        Try again
      </button>
    </div>
  );
}

function NoMatch() {
  return (
    <div class="empty card" data-empty="no-match">
      <h2>No event matches</h2>
      <button type="button" class="button" onClick={clearFilters}>
        Show all {formatNumber(activity.value.length)}
      </button>
    </div>
  );
}

function NothingYet() {
  return (
    <div class="empty card" data-empty="activity">
      <h2>Nothing has happened yet</h2>
      <p>
        You will see here, as it happens: servers that are found, restart, stop answering or return;
        rooms whose servers hold different documents; and what the service itself needs, such as
        Redis.
      </p>
      <p>
        Nothing is noted of servers and rooms while nobody looks. With{' '}
        <code>METRICS_KEEP_ACTIVE</code>, scrapes of the metrics count as looking.
      </p>
    </div>
  );
}
