import {
  observeWindowOffset,
  observeWindowRect,
  type Range,
  Virtualizer,
  windowScroll,
} from '@tanstack/virtual-core';
import { useCallback, useLayoutEffect, useReducer, useState } from 'preact/hooks';
import { rowsNear } from './useVirtualRows.js';

type Rows = Virtualizer<Window, HTMLElement>;

/** The settings of a long table that scrolls with the window. Its rows may have different heights. */
export interface WindowRowsOptions {
  /** The element that has the rows, such as a `tbody`. */
  body: { readonly current: HTMLElement | null };
  /** One for each row. A height that was measured stays with its key. The array must stay the same while they do. */
  keys: readonly string[];
  /** Of a row that was not measured yet, in pixels. */
  usualHeight: number;
  /** A row that stays in the document when it is out of sight, because it has the focus. */
  keptIndex: number;
}

/** Rows rendered beyond either edge, so that fast scrolling shows no gaps. */
const overscan = 12;

/** Renders only the rows of a long table that are in or near the window. Each row needs `ref={rows.measureElement}`. */
export function useWindowRows(options: WindowRowsOptions): Rows {
  const [, draw] = useReducer<number, void>((times) => times + 1, 0);
  const { body, keys } = options;
  const top = useTop(body);
  // With another function, the places of all rows are calculated again.
  const getItemKey = useCallback((index: number) => keys[index] ?? index, [keys]);
  const current = { ...settings(options, () => draw()), scrollMargin: top, getItemKey };
  const [rows] = useState<Rows>(() => new Virtualizer(current));
  rows.setOptions(current);
  useLayoutEffect(() => rows._didMount(), [rows]);
  useLayoutEffect(() => rows._willUpdate());
  return rows;
}

function settings({ keys, usualHeight, keptIndex }: WindowRowsOptions, draw: () => void) {
  return {
    count: keys.length,
    overscan,
    estimateSize: () => usualHeight,
    getScrollElement: (): Window => window,
    rangeExtractor: (range: Range) => rowsNear(range, keptIndex),
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    onChange: draw,
  };
}

/** Pixels of an element from the top of the page. What is above it may change with everything that is shown. */
function useTop(element: { readonly current: HTMLElement | null }): number {
  const [top, setTop] = useReducer<number, number>((_, next) => next, 0);
  useLayoutEffect(() => {
    const measure = () => {
      const { current } = element;
      if (current) setTop(Math.round(current.getBoundingClientRect().top + scrollY));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [element]);
  return top;
}
