import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type Range,
  Virtualizer,
} from '@tanstack/virtual-core';
import { useLayoutEffect, useReducer, useState } from 'preact/hooks';

type Rows = Virtualizer<HTMLElement, HTMLElement>;

/** The settings of a virtual list. All rows have the same height. */
export interface VirtualRowsOptions {
  scroller: { readonly current: HTMLElement | null };
  count: number;
  rowHeight: number;
  /** A row that stays in the document when it is out of sight, because it has the focus. */
  keptIndex: number;
}

/** Rows rendered beyond either edge, so that fast scrolling shows no gaps. */
const overscan = 12;

/** Renders only the rows of a long list that are in or near the viewport (@tanstack/virtual-core). */
export function useVirtualRows(options: VirtualRowsOptions): Rows {
  const [, draw] = useReducer<number, void>((times) => times + 1, 0);
  const [rows] = useState<Rows>(() => new Virtualizer(settings(options, () => draw())));
  rows.setOptions(settings(options, () => draw()));
  useLayoutEffect(() => rows._didMount(), [rows]);
  useLayoutEffect(() => rows._willUpdate());
  return rows;
}

function settings({ scroller, count, rowHeight, keptIndex }: VirtualRowsOptions, draw: () => void) {
  return {
    count,
    overscan,
    // The sticky head covers the height of one row.
    scrollPaddingEnd: rowHeight,
    estimateSize: () => rowHeight,
    getScrollElement: () => scroller.current,
    rangeExtractor: (range: Range) => rowsNear(range, keptIndex),
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: draw,
  };
}

/** The rows of a range and those near it, and one that is kept. */
export function rowsNear(
  { startIndex, endIndex, overscan, count }: Range,
  keptIndex: number,
): number[] {
  const first = Math.max(0, startIndex - overscan);
  const last = Math.min(count - 1, endIndex + overscan);
  const indexes: number[] = [];
  if (keptIndex >= 0 && keptIndex < first) indexes.push(keptIndex);
  for (let i = first; i <= last; i += 1) indexes.push(i);
  if (keptIndex > last && keptIndex < count) indexes.push(keptIndex);
  return indexes;
}
