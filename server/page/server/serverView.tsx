import { aboutHref } from '../activity/activityFilter.js';
import './server.css';
import { useEffect, useMemo } from 'preact/hooks';
import type { ServerRequests } from '../../wire/serverRequests.js';
import type { ServerRooms } from '../../wire/serverRooms.js';
import { activity, keepActivity } from '../model/activityLog.js';
import { isCurrent, known, numbersOf, servers } from '../model/fleet.js';
import { visible } from '../model/roomNames.js';
import type { ServerRow } from '../model/serverList.js';
import type { Status } from '../model/whatIsKnown.js';
import { usePolled } from '../usePolled.js';
import { ServerCharts } from './serverCharts.js';
import { ServerEvents } from './serverEvents.js';
import { ServerFacts } from './serverFacts.js';
import { ServerHead } from './serverHead.js';
import { ServerNotice } from './serverNotice.js';
import { ServerRequestsCard } from './serverRequests.js';
import { ServerRoomsCard } from './serverRooms.js';

const pollMs = 3000;
/** The answer for 100,000 rooms has some megabytes. */
const largePollMs = 20_000;
const largeRooms = 5000;

/** One pub-sub server. */
export function ServerView({ id }: { id: string }) {
  useEffect(keepActivity, []);
  const row = servers.value.find((server) => server.id === id);
  return row ? <Server row={row} /> : <UnknownServer id={id} />;
}

function Server({ row }: { row: ServerRow }) {
  const { id } = row;
  const parameter = `server=${encodeURIComponent(id)}`;
  // While the numbers of the page are of the past, nothing else may tell of now.
  const pathOf = (part: string) =>
    isCurrent.value ? `api/servers/${part}?${parameter}` : undefined;
  const [requests] = usePolled<ServerRequests>(pathOf('requests'), pollMs);
  const roomsPollMs = (row.rooms ?? 0) > largeRooms ? largePollMs : pollMs;
  const [rooms] = usePolled<ServerRooms>(pathOf('rooms'), roomsPollMs);
  const all = activity.value;
  const events = useMemo(
    () => all.filter(({ subject }) => subject.type === 'server' && subject.name === id),
    [all, id],
  );
  return (
    <article class="stack" data-page={id} data-state={row.state}>
      <ServerHead row={row} />
      {isCurrent.value && (
        <ServerNotice row={row} lastFailure={requests.value?.lastFailure ?? null} events={events} />
      )}
      <ServerCharts row={row} events={events} />
      <div class="server-columns">
        <ServerRoomsCard polled={rooms} counted={numbersOf(row).rooms} />
        <div class="stack">
          <ServerFacts row={row} />
          <ServerRequestsCard polled={requests} />
          <ServerEvents id={id} events={events} />
        </div>
      </div>
    </article>
  );
}

/** Whether the service may still find servers by itself. */
const mayBeFound = (status: Status): boolean =>
  ['connecting', 'starting', 'asking'].includes(status.is) ||
  (status.is === 'doubtful' && status.why === 'source_unanswered');

function UnknownServer({ id }: { id: string }) {
  const isEarly = mayBeFound(known.value.status);
  return (
    <div class="empty" data-empty="server">
      <h1>This server is not known{isEarly && ' yet'}</h1>
      <p>
        The service knows no pub-sub server <code>{visible(id)}</code>.{' '}
        {isEarly
          ? 'It has just started, and is still looking for servers.'
          : 'It may have been removed, or it has another address since it restarted.'}
      </p>
      <p class="row">
        <a class="button" href="#/servers">
          All servers
        </a>
        <a class="button" href={aboutHref({ type: 'server', name: id })}>
          Its events
        </a>
      </p>
    </div>
  );
}
