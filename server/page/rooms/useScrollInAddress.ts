import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { query, setQuery } from '../router.js';

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
    const note = () => {
      const row = Math.round((element?.scrollTop ?? 0) / rowHeight);
      if (wanted.current === undefined) setQuery({ at: row > 0 ? String(row) : undefined });
    };
    element?.addEventListener('scroll', note, { passive: true });
    return () => element?.removeEventListener('scroll', note);
  }, [scroller, rowHeight]);
}
