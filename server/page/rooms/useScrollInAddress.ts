import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { query, setQuery } from '../router.js';

/**
 * How long the list must stay where it is. While it scrolls, reading its place makes the browser calculate the layout
 * of rows that were just drawn, and Safari allows 100 changes of the address in 30 s.
 */
const restMs = 150;

/** A list whose first visible row is in the address. */
export interface ScrollInAddressOptions {
  scroller: { readonly current: HTMLElement | null };
  rowHeight: number;
  /** Rows that are there by now. */
  count: number;
  /** More rows may come. */
  isGrowing: boolean;
  /** Another value is another list, which begins where the address says. */
  list: unknown;
}

/** Keeps the first visible row in the address, so that Back returns to it. */
export function useScrollInAddress(options: ScrollInAddressOptions): void {
  const { scroller, rowHeight, count, isGrowing, list } = options;
  /** The row to return to; undefined: done. */
  const wanted = useRef<number | undefined>(undefined);
  useLayoutEffect(() => {
    const at = Number(query.peek().get('at') ?? 0);
    wanted.current = Number.isInteger(at) && at > 0 ? at : 0;
  }, [list]);
  useLayoutEffect(() => {
    const at = wanted.current;
    if (at === undefined || !scroller.current || (isGrowing && count <= at)) return;
    scroller.current.scrollTop = at * rowHeight;
    wanted.current = undefined;
  });
  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    let rest: ReturnType<typeof setTimeout> | undefined;
    const note = () => {
      clearTimeout(rest);
      rest = undefined;
      const row = Math.round(element.scrollTop / rowHeight);
      if (wanted.current === undefined) setQuery({ at: row > 0 ? String(row) : undefined });
    };
    const noteLater = () => {
      clearTimeout(rest);
      rest = setTimeout(note, restMs);
    };
    // Before a link is followed.
    const noteNow = () => rest !== undefined && note();
    element.addEventListener('scroll', noteLater, { passive: true });
    element.addEventListener('click', noteNow, { capture: true });
    return () => {
      clearTimeout(rest);
      element.removeEventListener('scroll', noteLater);
      element.removeEventListener('click', noteNow, { capture: true });
    };
  }, [scroller, rowHeight]);
}
