import './overview.css';
import { lazyView } from '../lazy.js';
import {
  connections,
  history,
  historyVersion,
  roomCount,
  roomIndex,
  roomsVersion,
  servers,
} from '../model/fleet.js';
import { distributionOf } from '../model/roomServers.js';
import { DistributionBar } from '../rooms/distribution.js';
import { RoomName } from '../rooms/roomName.js';
import { useDistributions } from '../rooms/useDistributions.js';
import { roomHref } from '../router.js';
import { presentServers } from '../servers/serverLook.js';
import { urgencyOf } from '../servers/serverState.js';
import { ServerTable } from '../servers/serverTable.js';
import { Count } from '../ui/count.js';
import { formatNumber } from '../ui/numbers.js';
import { clockTime } from '../ui/time.js';
import { NoServers } from './emptyStates.js';
import { SpanSelect, spanSeconds } from './span.js';

const Plot = lazyView(() => import('./plot.js').then(({ Plot }) => Plot));

const topRooms = 8;
const topServers = 20;

/** Totals over time, the busiest rooms and the servers. */
export function OverviewView() {
  if (servers.value.length === 0) return <NoServers />;
  return (
    <div class="stack">
      <h1 class="visually-hidden">Overview</h1>
      <SpanSelect />
      <div class="trends">
        <Trend title="Connections" value={connections.value} series="connections" />
        <Trend title="Rooms" value={roomCount.value} series="rooms" />
      </div>
      <div class="halves">
        <TopRooms />
        <Servers />
      </div>
    </div>
  );
}

function Trend({
  title,
  value,
  series,
}: {
  title: string;
  value: number | null;
  series: 'connections' | 'rooms';
}) {
  historyVersion.value;
  return (
    <figure class="card trend">
      <figcaption>
        <span class="trend-title">{title}</span>
        <span class="trend-value">
          <Count value={value} />
        </span>
        <span class="visually-hidden">{alternative(history[series])}</span>
      </figcaption>
      <Plot series={series} />
    </figure>
  );
}

/** The plot in words, for screen readers. */
function alternative(values: readonly (number | null)[]): string {
  const { seconds } = history;
  const from = (seconds.at(-1) ?? 0) - spanSeconds.value;
  const first = Math.max(
    0,
    seconds.findIndex((second) => second >= from),
  );
  const known = values.slice(first).filter((value) => value !== null);
  const since = (seconds[first] ?? 0) * 1000;
  if (known.length === 0) return 'No numbers yet.';
  const low = formatNumber(known.reduce((a, b) => Math.min(a, b)));
  const high = formatNumber(known.reduce((a, b) => Math.max(a, b)));
  return `Since ${clockTime(since)}: lowest ${low}, highest ${high}.`;
}

function TopRooms() {
  roomsVersion.value;
  const rooms = roomIndex.busiest(topRooms);
  useDistributions(rooms.map(({ name }) => name));
  return (
    <section class="card flush" aria-labelledby="top-title">
      <div class="card-head">
        <h2 id="top-title">Busiest rooms</h2>
        <span class="spacer" />
        <a href="#/rooms">All {roomCount.value !== null && formatNumber(roomCount.value)}</a>
      </div>
      {rooms.length === 0 && (roomCount.value === null ? <NotReported /> : <NobodyConnected />)}
      {rooms.length > 0 && (
        <table class="table top-rooms">
          <thead class="visually-hidden">
            <tr>
              <th scope="col">Room</th>
              <th scope="col">By server</th>
              <th scope="col">Connections</th>
            </tr>
          </thead>
          <tbody>
            {rooms.map(({ name, connections }) => (
              <tr key={name} data-room={name}>
                <th scope="row">
                  <a class="cut" href={roomHref(name)} title={name.slice(0, 2048)}>
                    <RoomName name={name} />
                  </a>
                </th>
                <td>
                  <DistributionBar servers={distributionOf(name)} />
                </td>
                <td class="number">
                  <Count value={connections} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function NotReported() {
  return (
    <div class="empty" data-empty="unknown">
      <h3>Not known yet</h3>
      <p>No room has been reported yet, and not every server has answered.</p>
    </div>
  );
}

function NobodyConnected() {
  return (
    <div class="empty" data-empty="nobody">
      <h3>Nobody is connected</h3>
      <p>A room appears here as soon as someone opens its document.</p>
    </div>
  );
}

function Servers() {
  const { length } = presentServers.value;
  return (
    <section class="card flush" aria-labelledby="fleet-title">
      <div class="card-head">
        <h2 id="fleet-title">Servers</h2>
        <span class="spacer" />
        <a href="#/servers">All {formatNumber(length)}</a>
      </div>
      <ServerTable rows={worst(topServers)} />
    </section>
  );
}

/** If there are too many servers for this view, those with problems come first. */
function worst(count: number) {
  const rows = servers.value;
  if (rows.length <= count) return rows;
  return [...rows].sort((a, b) => urgencyOf(a) - urgencyOf(b)).slice(0, count);
}
