import { Unknown } from '../ui/count.js';
import { countWord } from '../ui/numbers.js';
import './roomHistory.css';
import { useEffect, useMemo } from 'preact/hooks';
import type { ActivityEvent } from '../../wire/activityEvent.js';
import type { RoomCounts } from '../../wire/roomCounts.js';
import type { RoomServers } from '../../wire/roomServers.js';
import { Chart } from '../charts/chart.js';
import { RangeSelect } from '../charts/rangeSelect.js';
import type { RangeKind } from '../charts/ranges.js';
import { useMarks } from '../charts/useMarks.js';
import { usePast } from '../charts/usePast.js';
import { activity, keepActivity } from '../model/activityLog.js';
import { encodedName } from '../model/roomNames.js';
import { lookOf } from '../servers/serverLook.js';
import { agoText, Moment } from '../ui/moment.js';
import type { Polled } from '../usePolled.js';
import { OpenedConnections } from './opened.js';
import { roomLines, serversIn, valuesOf } from './roomLines.js';
import { byteWord } from './words.js';

/** The service keeps an hour of a room. */
const kinds: readonly RangeKind[] = ['minutes', 'hour', 'opened'];

/** The past of a room: its connections over time, by server where known, and what is stored of it. */
export function RoomHistory({
  name,
  counts,
  stored,
}: {
  name: string;
  counts: Polled<readonly RoomCounts[]>;
  /** Undefined: not asked, or not answered. */
  stored: RoomServers | undefined;
}) {
  const past = usePast(`room=${encodedName(name)}`, liveOf(counts));
  const { series, leftOut } = roomLines(past, lookOf);
  return (
    <section class="card room-history" aria-labelledby="room-history">
      <div class="card-head">
        <h2 id="room-history">History</h2>
        <span class="spacer" />
        <RangeSelect kinds={kinds} />
      </div>
      <Chart
        title="Connections"
        seconds={past.seconds}
        series={series}
        marks={useRoomMarks(name, serversIn(past))}
        complete={past.column('complete')}
        kinds={kinds}
      />
      {leftOut > 0 && (
        <p class="quiet small">
          {countWord(leftOut, 'more server')} {leftOut === 1 ? 'has' : 'have'} no line here.
        </p>
      )}
      {series.length > 1 && (
        <p class="quiet small">Numbers by server begin when somebody began to look at this room.</p>
      )}
      {stored && <Stored stored={stored} />}
      <OpenedConnections name={name} />
    </section>
  );
}

/** While the counts cannot be read, there is a gap. */
function liveOf({ value, failure }: Polled<readonly RoomCounts[]>) {
  if (failure) return {};
  const counts = value?.[0];
  return counts && ((names: readonly string[]) => valuesOf(counts, names));
}

/** What happened to the room and to its servers. */
function useRoomMarks(name: string, servers: readonly string[]) {
  useEffect(keepActivity, []);
  const events = activity.value;
  const ofRoom = useMemo(() => {
    const isOfRoom = ({ subject: { type, name: about } }: ActivityEvent) =>
      (type === 'room' && about === name) || (type === 'server' && servers.includes(about));
    return events.filter(isOfRoom);
  }, [events, name, servers.length]);
  return useMarks(ofRoom);
}

/** What the store has of the room. Without dates in it, when the service saw a connection. */
function Stored({ stored }: { stored: RoomServers }) {
  const { createdAt, updatedAt, observed, bytes } = stored;
  return (
    <dl class="room-stored">
      <dt>Stored size</dt>
      <dd>
        {bytes === null ? <Unknown reason="The metadata store does not tell" /> : byteWord(bytes)}
      </dd>
      <dt>{observed ? 'First seen' : 'Created'}</dt>
      <dd>
        <Time at={createdAt} />
      </dd>
      <dt>{observed ? 'Last seen' : 'Last changed'}</dt>
      <dd>
        <Time at={updatedAt} />
      </dd>
      {observed && (
        <dd class="quiet small room-stored-note">
          When this service saw a connection, in the last 48 hours. The metadata store has no dates.
        </dd>
      )}
    </dl>
  );
}

function Time({ at }: { at: string | null }) {
  if (at === null) return <Unknown reason="Not known: neither the store nor this service tells" />;
  return (
    <span class="moment-row">
      <Moment at={at} text={agoText(at)} />
    </span>
  );
}
