import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type Range,
  Virtualizer,
} from '@tanstack/virtual-core';
import { useLayoutEffect, useReducer, useState } from 'preact/hooks';

type Rows = Virtualizer<HTMLElement, HTMLElement>;

/** What a virtual list is made of; all rows are equally high. */
export interface VirtualRowsOptions {
  scroller: { readonly current: HTMLElement | null };
  count: number;
  rowHeight: number;
  /** A row that stays even when it is out of sight, for the focus is in it. */
  keptIndex: number;
}

/** Rows beyond either edge: what comes into sight between two frames is there already. */
const overscan = 24;

/** The rows of a long list that are near what is in sight (@tanstack/virtual-core). */
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
    // The head of the list stays at its top, and is as high as a row.
    scrollPaddingEnd: rowHeight,
    estimateSize: () => rowHeight,
    getScrollElement: () => scroller.current,
    rangeExtractor: (range: Range) => indexesOf(range, keptIndex),
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: draw,
  };
}

function indexesOf({ startIndex, endIndex, overscan, count }: Range, keptIndex: number): number[] {
  const first = Math.max(0, startIndex - overscan);
  const last = Math.min(count - 1, endIndex + overscan);
  const indexes: number[] = [];
  if (keptIndex >= 0 && keptIndex < first) indexes.push(keptIndex);
  for (let i = first; i <= last; i += 1) indexes.push(i);
  if (keptIndex > last && keptIndex < count) indexes.push(keptIndex);
  return indexes;
}
