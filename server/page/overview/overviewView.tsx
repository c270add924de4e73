import './overview.css';
import { useEffect, useState } from 'preact/hooks';
import { Chart } from '../charts/chart.js';
import { RangeSelect } from '../charts/rangeSelect.js';
import { useMarks } from '../charts/useMarks.js';
import { activity, keepActivity } from '../model/activityLog.js';
import {
  history,
  historyVersion,
  isCurrent,
  known,
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
import { CountsAge } from '../servers/countsAge.js';
import { ServerLegend } from '../servers/serverLegend.js';
import { presentServers } from '../servers/serverLook.js';
import { usualOrder } from '../servers/serverOrder.js';
import { urgencyOf } from '../servers/serverState.js';
import { ServerTable } from '../servers/serverTable.js';
import { Count } from '../ui/count.js';
import { BriefNumber, KnownNumber } from '../ui/knownNumber.js';
import { formatNumber } from '../ui/numbers.js';
import { NobodyConnected, NoServers, RoomsUnknown } from './emptyStates.js';

const topRooms = 8;
const topServers = 20;

/** Totals over time, the busiest rooms and the servers. */
export function OverviewView() {
  if (known.value.status.is === 'noServers') return <NoServers />;
  return (
    <div class="stack">
      <h1 class="visually-hidden">Overview</h1>
      <RangeSelect />
      <Trends />
      <div class="halves">
        <TopRooms />
        <Servers />
      </div>
    </div>
  );
}

/** Connections and rooms over time, with what happened. */
function Trends() {
  historyVersion.value;
  useEffect(keepActivity, []);
  const marks = useMarks(activity.value);
  const series = (label: 'connections' | 'rooms', color: string) => [
    { label, color, values: history.column(label) },
  ];
  const shared = { seconds: history.seconds, complete: history.column('complete'), marks };
  return (
    <div class="trends">
      <Chart
        title="Connections"
        value={<KnownNumber number={known.value.connections} />}
        series={series('connections', 'var(--series-1)')}
        {...shared}
      />
      <Chart
        title="Rooms"
        value={<KnownNumber number={known.value.rooms} />}
        series={series('rooms', 'var(--series-2)')}
        {...shared}
      />
    </div>
  );
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
        <a href="#/rooms">
          All {roomCount.value !== null && <BriefNumber number={known.value.rooms} isCalm />}
        </a>
      </div>
      {rooms.length === 0 && (roomCount.value === null ? <RoomsUnknown /> : <NobodyConnected />)}
      {rooms.length > 0 && (
        <table class={`table top-rooms ${isCurrent.value ? '' : 'past'}`}>
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
      {rooms.length > 0 && <ServerLegend />}
    </section>
  );
}

function Servers() {
  const [order, setOrder] = useState(usualOrder);
  const { length } = presentServers.value;
  return (
    <section class="card flush" aria-labelledby="fleet-title">
      <div class="card-head">
        <h2 id="fleet-title">Servers</h2>
        <span class="spacer" />
        <CountsAge />
        <a href="#/servers">All {formatNumber(length)}</a>
      </div>
      <ServerTable rows={worst(topServers)} order={order} onOrder={setOrder} />
    </section>
  );
}

/** If there are too many servers for this view, those with problems come first. */
function worst(count: number) {
  const rows = servers.value;
  if (rows.length <= count) return rows;
  return [...rows].sort((a, b) => urgencyOf(a) - urgencyOf(b)).slice(0, count);
}
