import { useMemo, useRef } from 'preact/hooks';
import type { ServerRooms } from '../../wire/serverRooms.js';
import { isCurrent, roomIndex, roomsVersion } from '../model/fleet.js';
import { visible } from '../model/roomNames.js';
import { noNumbersOfNow } from '../model/statusWords.js';
import type { Known } from '../model/whatIsKnown.js';
import { RoomName } from '../rooms/roomName.js';
import { useActiveRoom, useRowKeys } from '../rooms/useRowFocus.js';
import { query, roomHref, setQuery } from '../router.js';
import { useKeptPlace } from '../scrollPlaces.js';
import { KnownNumber } from '../ui/knownNumber.js';
import { formatNumber } from '../ui/numbers.js';
import { QuerySearch } from '../ui/querySearch.js';
import { SortHead } from '../ui/sortHead.js';
import { useVirtualRows } from '../ui/useVirtualRows.js';
import type { Polled } from '../usePolled.js';
import {
  listedNumber,
  type RoomOfServer,
  type RoomOrder,
  roomOrder,
  roomsOfServer,
} from './roomsOfServer.js';

const rowHeight = 34;
const shownRows = 12;
/** Above this many, the list changes only with each answer: sorting them takes too long. */
const maxLively = 5000;

/** The rooms with connections on a server: sorted and searched in the address, drawn as they come into view. */
export function ServerRoomsCard({
  polled,
  counted,
}: {
  polled: Polled<ServerRooms>;
  /** How many rooms the server has, as the rest of the page shows it. */
  counted: Known;
}) {
  const { value } = polled;
  const search = query.value.get('q') ?? '';
  const order = roomOrder(query.value.get('sort'));
  const rooms = value?.rooms;
  const all = rooms ? Object.keys(rooms).length : 0;
  const version = all > maxLively ? 0 : roomsVersion.value;
  const rows = useMemo(
    () =>
      rooms
        ? roomsOfServer(rooms, (name) => roomIndex.get(name)?.connections, { search, order })
        : [],
    [rooms, search, order, version],
  );
  return (
    <section class="card flush server-room-card" aria-labelledby="server-rooms">
      <div class="card-head">
        <h2 id="server-rooms">Rooms</h2>
        <span class="quiet" role="status">
          {rooms && rows.length < all && `${formatNumber(rows.length)} of `}
          {rooms && <KnownNumber number={listedNumber(all, polled.atMs, counted)} />}
        </span>
        <span class="spacer" />
        {all > 0 && <QuerySearch id="server-room-search" label="Search the rooms of this server" />}
      </div>
      {rows.length > 0 ? (
        <RoomRows rows={rows} order={order} isPast={counted.is === 'past'} />
      ) : (
        <p class="server-nothing quiet">{nothingWords(polled, all, counted.is === 'past')}</p>
      )}
    </section>
  );
}

function nothingWords({ value, failure }: Polled<ServerRooms>, all: number, isPast: boolean) {
  if (value?.rooms === null) return 'Not known: it has not reported its connections.';
  if (value && all > 0) return 'No room matches.';
  if (value) return `Nobody ${isPast ? 'was' : 'is'} connected to this server.`;
  if (!isCurrent.value) return noNumbersOfNow;
  return failure ? `Not known: ${visible(failure.message)}` : 'Loading …';
}

function RoomRows({
  rows,
  order,
  isPast,
}: {
  rows: readonly RoomOfServer[];
  order: RoomOrder;
  isPast: boolean;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  useKeptPlace(scroller, 'rooms');
  const active = useActiveRoom(rows);
  const list = useVirtualRows({
    scroller,
    count: rows.length,
    rowHeight,
    keptIndex: active.index,
  });
  const scrollTo = (index: number) => list.scrollToIndex(index);
  const onKeyDown = useRowKeys({
    rooms: rows,
    active,
    scroller,
    pageSize: shownRows - 2,
    scrollTo,
  });
  const items = list.getVirtualItems();
  const isActiveThere = items.some(({ index }) => index === active.index);
  const tabbed = isActiveThere ? active.index : items[0]?.index;
  const height = (Math.min(rows.length, shownRows) + 1) * rowHeight;
  return (
    <div ref={scroller} class="server-room-scroller" style={{ height: `${height}px` }}>
      <table aria-label="Rooms on this server" aria-rowcount={rows.length + 1}>
        <thead>
          <tr class="server-room" aria-rowindex={1}>
            <OrderHead name="name" title="Room" order={order} />
            <OrderHead name="here" title="Here" order={order} />
            <OrderHead name="all" title="On all servers" order={order} />
          </tr>
        </thead>
        <tbody
          class={isPast ? 'past' : ''}
          style={{ height: `${list.getTotalSize()}px` }}
          onKeyDown={onKeyDown}
        >
          {items.map(({ index, start }) => {
            const row = rows[index];
            return (
              row && (
                <tr
                  key={row.name}
                  class="server-room"
                  aria-rowindex={index + 2}
                  data-index={index}
                  data-room={row.name}
                  style={{ transform: `translateY(${start}px)` }}
                  onFocusIn={() => active.set(row.name)}
                >
                  <th scope="row">
                    <a
                      class="cut row-link"
                      href={roomHref(row.name)}
                      tabIndex={index === tabbed ? 0 : -1}
                      title={row.name.slice(0, 2048)}
                    >
                      <RoomName name={row.name} />
                    </a>
                  </th>
                  <td class="number">{formatNumber(row.here)}</td>
                  <td class={`number ${row.all === row.here ? 'quiet' : ''}`}>
                    {formatNumber(row.all)}
                  </td>
                </tr>
              )
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function OrderHead({ name, title, order }: { name: RoomOrder; title: string; order: RoomOrder }) {
  const isName = name === 'name';
  const direction = isName ? 'ascending' : 'descending';
  return (
    <SortHead
      class={isName ? '' : 'number'}
      sorted={name === order ? direction : undefined}
      onSort={() => setQuery({ sort: name === 'here' ? undefined : name })}
    >
      {title}
    </SortHead>
  );
}
