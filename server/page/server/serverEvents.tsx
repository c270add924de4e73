import type { ActivityEvent } from '../../wire/activityEvent.js';
import { aboutHref } from '../activity/activityFilter.js';
import { kindWords } from '../activity/kindWords.js';
import { activityFailure, isActivityKnown } from '../model/activityLog.js';
import { visible } from '../model/roomNames.js';
import { agoText, Moment } from '../ui/moment.js';

const maxShown = 6;

/** The last events of a server, newest first. `events`: oldest first. */
export function ServerEvents({ id, events }: { id: string; events: readonly ActivityEvent[] }) {
  return (
    <section class="card flush" aria-labelledby="server-events">
      <div class="card-head">
        <h2 id="server-events">Events</h2>
        <span class="spacer" />
        {events.length > 0 && (
          <a href={aboutHref({ type: 'server', name: id })}>All {events.length}</a>
        )}
      </div>
      {events.length === 0 && <p class="server-nothing quiet">{nothingWords()}</p>}
      <ol class="server-events">
        {events
          .slice(-maxShown)
          .reverse()
          .map((event) => (
            <EventItem key={event.id} event={event} />
          ))}
      </ol>
    </section>
  );
}

function nothingWords(): string {
  if (isActivityKnown.value) return 'Nothing was noted of this server.';
  return activityFailure.value ? 'The activity could not be loaded.' : 'Loading …';
}

function EventItem({ event: { kind, cause, at } }: { event: ActivityEvent }) {
  const { label, tone } = kindWords(kind);
  return (
    <li class="moment-row" data-kind={kind}>
      <span class={`badge ${tone}`}>{label}</span>
      <span class="server-event-cause small">{cause !== null && visible(cause)}</span>
      <span class="quiet small">
        <Moment at={at} text={agoText(at)} isFocusable />
      </span>
    </li>
  );
}
