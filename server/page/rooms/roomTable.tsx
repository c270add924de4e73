import { useRef } from 'preact/hooks';
import type { Room } from '../model/roomIndex.js';
import { distributionOf } from '../model/roomServers.js';
import { lookOf, presentServers } from '../servers/serverLook.js';
import { MiddleCut } from '../ui/middleCut.js';
import { useVirtualRows } from '../ui/useVirtualRows.js';
import { RoomRow } from './roomRow.js';
import { useDistributions } from './useDistributions.js';
import { useActiveRoom, useRowKeys } from './useRowFocus.js';
import { useWidth } from './useWidth.js';

const rowHeight = 36;
const maxColumns = 8;
const nameWidth = 300;
const columnWidth = 84;

/** Rooms × servers as a virtual table: only the rows near the viewport are in the document. */
export function RoomTable({ rooms }: { rooms: readonly Room[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const active = useActiveRoom(rooms);
  const rows = useVirtualRows({
    scroller,
    count: rooms.length,
    rowHeight,
    keptIndex: active.index,
  });
  const items = rows.getVirtualItems();
  const inSight = items.filter((item) => isInSight(item, rows.scrollOffset, rows.scrollRect));
  useDistributions(inSight.map(({ index }) => rooms[index]?.name ?? ''));
  const isMatrix = useIsMatrix(scroller);
  const columns = gridOf(isMatrix);
  // Roving tabindex: Tab reaches one row, the arrow keys reach the others.
  const isActiveThere = items.some(({ index }) => index === active.index);
  const tabbedIndex = isActiveThere ? active.index : inSight[0]?.index;
  const pageSize = Math.max(1, inSight.length - 2);
  const scrollTo = (index: number) => rows.scrollToIndex(index);
  const onKeyDown = useRowKeys({ rooms, active, scroller, pageSize, scrollTo });
  const rowOf = ({ index, start }: Item) => {
    const room = rooms[index];
    return (
      room && (
        <RoomRow
          key={room.name}
          room={room}
          connections={room.connections}
          servers={distributionOf(room.name)}
          isMatrix={isMatrix}
          index={index}
          start={start}
          columns={columns}
          tabIndex={index === tabbedIndex ? 0 : -1}
          onFocus={active.set}
        />
      )
    );
  };
  return (
    <div class="card flush room-table">
      <div ref={scroller} class="room-scroller">
        <table aria-label="Rooms by connections" aria-rowcount={rooms.length + 1}>
          <thead class="room-heads">
            <tr
              class="room-row room-head"
              aria-rowindex={1}
              style={{ gridTemplateColumns: columns }}
            >
              <Heads isMatrix={isMatrix} />
            </tr>
          </thead>
          <tbody
            class="room-rows"
            style={{ height: `${rows.getTotalSize()}px` }}
            onKeyDown={onKeyDown}
          >
            {items.map(rowOf)}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Heads({ isMatrix }: { isMatrix: boolean }) {
  return (
    <>
      <th scope="col">Room</th>
      <th scope="col" class="number">
        Connections
      </th>
      {isMatrix ? (
        presentServers.value.map(({ id }) => <ServerHead key={id} id={id} />)
      ) : (
        <th scope="col" class="room-bar">
          By server
        </th>
      )}
    </>
  );
}

function ServerHead({ id }: { id: string }) {
  const { shortName, fullName, color } = lookOf(id);
  return (
    <th scope="col" class="number cut" title={fullName} data-column={id}>
      <span class="room-server">
        <span class="swatch" style={{ background: color }} />
        <MiddleCut text={shortName} />
      </span>
    </th>
  );
}

/** True: one column for each server. False: one bar for all servers. */
function useIsMatrix(scroller: { current: HTMLElement | null }): boolean {
  const width = useWidth(scroller);
  const count = presentServers.value.length;
  return count > 0 && count <= maxColumns && width >= nameWidth + columnWidth * (count + 1);
}

function gridOf(isMatrix: boolean): string {
  const { length } = presentServers.value;
  return isMatrix
    ? `minmax(0, 1fr) 108px repeat(${length}, ${columnWidth}px)`
    : 'minmax(0, 1fr) minmax(64px, 108px) minmax(56px, 0.4fr)';
}

interface Item {
  index: number;
  start: number;
  end: number;
}

/** The sticky head covers the height of one row. */
function isInSight({ start, end }: Item, offset: number | null, rect: { height: number } | null) {
  const top = offset ?? 0;
  return end > top && start < top + (rect?.height ?? 0) - rowHeight;
}
