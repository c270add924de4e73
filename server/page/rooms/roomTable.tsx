import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Room } from '../model/roomIndex.js';
import { distributionOf } from '../model/roomServers.js';
import { colourOf, presentServers, shortIds } from '../servers/serverLook.js';
import { useVirtualRows } from '../ui/useVirtualRows.js';
import { RoomRow } from './roomRow.js';
import { useDistributions } from './useDistributions.js';
import { useWidth } from './useWidth.js';

const rowHeight = 36;
const maxColumns = 8;
const nameWidth = 300;
const columnWidth = 84;

/** Rooms × servers as a virtual table: of 100,000 rows those near what is in sight are there. */
export function RoomTable({ rooms }: { rooms: readonly Room[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const [activeName, setActiveName] = useState<string>();
  const activeIndex =
    activeName === undefined ? -1 : rooms.findIndex(({ name }) => name === activeName);
  const rows = useVirtualRows({
    scroller,
    count: rooms.length,
    rowHeight,
    keptIndex: activeIndex,
  });
  const items = rows.getVirtualItems();
  const inSight = items.filter((item) => isInSight(item, rows.scrollOffset, rows.scrollRect));
  useDistributions(inSight.map(({ index }) => rooms[index]?.name ?? ''));
  const isMatrix = useIsMatrix(scroller);
  const grid = { gridTemplateColumns: gridOf(isMatrix) };
  // Of the rows one is reached by Tab, the others from it by the arrow keys.
  const tabIndexOf = items.some(({ index }) => index === activeIndex)
    ? activeIndex
    : inSight[0]?.index;
  const toFocus = useRef(-1);
  useLayoutEffect(() => {
    const link = scroller.current?.querySelector<HTMLElement>(
      `[data-index="${toFocus.current}"] a`,
    );
    if (link) toFocus.current = -1;
    link?.focus({ preventScroll: true });
  });
  const moveTo = (index: number) => {
    const to = Math.max(0, Math.min(rooms.length - 1, index));
    toFocus.current = to;
    setActiveName(rooms[to]?.name);
    rows.scrollToIndex(to);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = stepOf(event, Math.max(1, inSight.length - 2), rooms.length);
    if (step === undefined || !(event.target as Element).matches('a')) return;
    event.preventDefault();
    moveTo(activeIndex + step);
  };
  return (
    <div class="card flush room-table">
      <div ref={scroller} class="room-scroller">
        <table aria-label="Rooms by connections" aria-rowcount={rooms.length + 1}>
          <thead class="room-heads">
            <tr class="room-row room-head" aria-rowindex={1} style={grid}>
              <Heads isMatrix={isMatrix} />
            </tr>
          </thead>
          <tbody
            class="room-rows"
            style={{ height: `${rows.getTotalSize()}px` }}
            onKeyDown={onKeyDown}
          >
            {items.map(({ index, start }) => {
              const room = rooms[index];
              if (!room) return null;
              return (
                <RoomRow
                  key={room.name}
                  room={room}
                  connections={room.connections}
                  servers={distributionOf(room.name)}
                  isMatrix={isMatrix}
                  index={index}
                  start={start}
                  columns={grid.gridTemplateColumns}
                  tabIndex={index === tabIndexOf ? 0 : -1}
                  onFocus={setActiveName}
                />
              );
            })}
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
        presentServers.value.map(({ id }) => (
          <th key={id} scope="col" class="number cut" title={id}>
            <span class="swatch" style={{ background: colourOf(id) }} />
            {shortIds.value.get(id)}
          </th>
        ))
      ) : (
        <th scope="col" class="room-bar">
          By server
        </th>
      )}
    </>
  );
}

/** Whether there is a column for each server, or a bar for all. */
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

type Item = { start: number; end: number };

function isInSight({ start, end }: Item, offset: number | null, rect: { height: number } | null) {
  const top = offset ?? 0;
  return end > top && start < top + (rect?.height ?? 0);
}

function stepOf({ key }: KeyboardEvent, page: number, count: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  };
  return Object.hasOwn(steps, key) ? steps[key] : undefined;
}
