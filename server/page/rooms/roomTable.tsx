import { useRef } from 'preact/hooks';
import { roomPast } from '../charts/roomPasts.js';
import { useSparklines } from '../charts/useSparklines.js';
import { isCurrent, roomIndex } from '../model/fleet.js';
import { distributionOf } from '../model/roomServers.js';
import type { RoomsOnServer } from '../model/serverRooms.js';
import { ServerLegend } from '../servers/serverLegend.js';
import { presentServers } from '../servers/serverLook.js';
import { useVirtualRows } from '../ui/useVirtualRows.js';
import { detailsOf } from './details.js';
import type { ListSettings } from './listSettings.js';
import { RoomHeads, type TableKind } from './roomHeads.js';
import { RoomRow } from './roomRow.js';
import { useDistributions } from './useDistributions.js';
import type { ListedRooms } from './useListedRooms.js';
import { useActiveRoom, useReturningFocus, useRowKeys } from './useRowFocus.js';
import { useScrollInAddress } from './useScrollInAddress.js';
import { useWidth } from './useWidth.js';

const rowHeight = 36;
const maxColumns = 8;
const nameWidth = 300;
const columnWidth = 84;
const pastWidth = 104;

/** Rooms × servers as a virtual table: only the rows near the viewport are in the document. */
export function RoomTable({
  list,
  settings,
  here,
}: {
  list: ListedRooms;
  settings: ListSettings;
  /** The rooms of the chosen server. */
  here: RoomsOnServer;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const { rows: rooms } = list;
  const active = useActiveRoom(rooms);
  const rows = useVirtualRows({
    scroller,
    count: rooms.length,
    rowHeight,
    keptIndex: active.index,
  });
  useScrollInAddress({
    scroller,
    rowHeight,
    count: rooms.length,
    isGrowing: roomIndex.isSearching,
    list: settings,
  });
  useReturningFocus(scroller, active.index);
  const items = rows.getVirtualItems();
  const inSight = items.filter((item) => isInSight(item, rows.scrollOffset, rows.scrollRect));
  const { kind, hasPast } = useKind(settings, scroller);
  const isByServer = kind === 'columns' || kind === 'bar';
  const namesInSight = inSight.map(({ index }) => rooms[index]?.name ?? '');
  useDistributions(isByServer ? namesInSight : []);
  useSparklines(hasPast ? namesInSight : []);
  const columns = gridOf(kind, hasPast);
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
          servers={isByServer ? distributionOf(room.name) : undefined}
          here={kind === 'here' ? (here.get(room.name) ?? 0) : undefined}
          details={detailsOf(room.name, kind, list)}
          kind={kind}
          past={hasPast ? (roomPast(room.name) ?? null) : undefined}
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
        <table aria-label={labels[settings.show]} aria-rowcount={rooms.length + 1}>
          <thead class="room-heads">
            <tr
              class="room-row room-head"
              aria-rowindex={1}
              style={{ gridTemplateColumns: columns }}
            >
              <RoomHeads kind={kind} hasPast={hasPast} settings={settings} />
            </tr>
          </thead>
          <tbody
            class={`room-rows ${isCurrent.value ? '' : 'past'}`}
            style={{ height: `${rows.getTotalSize()}px` }}
            onKeyDown={onKeyDown}
          >
            {items.map(rowOf)}
          </tbody>
        </table>
      </div>
      {kind === 'bar' && <ServerLegend />}
    </div>
  );
}

const labels: Record<ListSettings['show'], string> = {
  connected: 'Rooms with connections',
  empty: 'Rooms without connections',
  diverged: 'Watched rooms whose servers differ',
  unreadable: 'Watched rooms with servers that cannot be read',
};

/** One column for each server if they fit, else one bar for all of them. The past of each room if there is space. */
function useKind(
  { show, server }: ListSettings,
  scroller: { readonly current: HTMLElement | null },
): { kind: TableKind; hasPast: boolean } {
  const width = useWidth(scroller);
  const count = presentServers.value.length;
  if (show === 'empty') return { kind: 'empty', hasPast: false };
  if (show !== 'connected') return { kind: 'findings', hasPast: false };
  const fixedWidth = nameWidth + columnWidth * (count + 1);
  if (count > 0 && count <= maxColumns && width >= fixedWidth)
    return { kind: 'columns', hasPast: width >= fixedWidth + pastWidth };
  return { kind: server === '' ? 'bar' : 'here', hasPast: width >= 2 * nameWidth + pastWidth };
}

function gridOf(kind: TableKind, hasPast: boolean): string {
  const { length } = presentServers.value;
  const past = hasPast ? ` ${pastWidth}px` : '';
  if (kind === 'columns') return `minmax(0, 1fr) 108px${past} repeat(${length}, ${columnWidth}px)`;
  if (kind === 'empty') return 'minmax(0, 1fr) minmax(72px, 120px) minmax(56px, 90px)';
  if (kind === 'here') return `minmax(0, 1fr) minmax(84px, 108px)${past} minmax(84px, 108px)`;
  const last = kind === 'findings' ? 'minmax(80px, 0.6fr)' : 'minmax(64px, 0.25fr)';
  return `minmax(0, 1fr) minmax(84px, 108px)${past} ${last}`;
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
