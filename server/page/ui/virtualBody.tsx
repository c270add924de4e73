import type { ComponentChildren } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { useActiveRoom, useReturningFocus, useRowKeys } from '../rooms/useRowFocus.js';
import { useWindowRows } from './useWindowRows.js';

/** What a row of a long table must have, and its link. A table with all of its rows needs less. */
export interface RowPlace {
  row: {
    'aria-rowindex': number;
    'data-index'?: number;
    ref?: (element: HTMLElement | null) => void;
    onFocusIn?: () => void;
  };
  /** Of the link. Tab reaches one row, the arrow keys reach the others. */
  tabIndex?: number;
}

interface VirtualBodyProps {
  /** Names of all rows, in order. The array must stay the same while they do. */
  names: readonly string[];
  /** Of a row, in pixels. Others are measured when they are drawn. */
  usualHeight: number;
  /** Of the table. */
  columns: number;
  /** The focus returns to the row whose link was followed. */
  isReturnedTo?: boolean;
  children: (index: number, place: RowPlace) => ComponentChildren;
}

/**
 * The `tbody` of a long table that scrolls with the window: only the rows in or near the window are in the document.
 * The table needs `aria-rowcount`, and the row of its head `aria-rowindex={1}`.
 */
export function VirtualBody(props: VirtualBodyProps) {
  const { names, usualHeight, columns, isReturnedTo = false, children } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const named = useMemo(() => names.map((name) => ({ name })), [names]);
  const active = useActiveRoom(named);
  const rows = useWindowRows({ body, keys: names, usualHeight, keptIndex: active.index });
  useReturningFocus(body, isReturnedTo ? active.index : -1);
  const onKeyDown = useRowKeys({
    rooms: named,
    active,
    scroller: body,
    pageSize: Math.max(1, Math.floor(innerHeight / usualHeight) - 3),
  });
  const items = rows.getVirtualItems();
  const isActiveThere = items.some(({ index }) => index === active.index);
  const tabbed = isActiveThere ? active.index : items[0]?.index;
  const top = rows.options.scrollMargin;
  let drawnTo = 0;
  /** Space for the rows before a row, or after the last one. */
  const spaceTo = (pixels: number) => {
    const height = pixels - drawnTo;
    return height > 0 && <Space key={`space-${drawnTo}`} columns={columns} height={height} />;
  };
  return (
    <tbody ref={body} class="virtual-body" onKeyDown={onKeyDown}>
      {/* Flat, so that a row stays the same element while others come and go. */}
      {items.flatMap(({ index, start, end }) => {
        const space = spaceTo(start - top);
        drawnTo = end - top;
        const row = {
          ref: rows.measureElement,
          'data-index': index,
          'aria-rowindex': index + 2,
          onFocusIn: () => active.set(names[index]),
        };
        return [space, children(index, { row, tabIndex: index === tabbed ? 0 : -1 })];
      })}
      {spaceTo(rows.getTotalSize())}
    </tbody>
  );
}

function Space({ columns, height }: { columns: number; height: number }) {
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus
    <tr class="virtual-space" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  );
}
