import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** A row of the list. */
type Named = { readonly name: string };

/** The room that has the focus, or had it last. */
export interface ActiveRoom {
  /** -1: none. */
  index: number;
  set: (name: string | undefined) => void;
}

/** Tracks the active room by name, so that it survives reordering. */
export function useActiveRoom(rooms: readonly Named[]): ActiveRoom {
  const [activeName, set] = useState<string>();
  const index = activeName === undefined ? -1 : rooms.findIndex(({ name }) => name === activeName);
  return { index, set };
}

/** The list that the keys move through. */
export interface RowKeysOptions {
  rooms: readonly Named[];
  active: ActiveRoom;
  scroller: { readonly current: HTMLElement | null };
  /** Rows per page, for Page Up and Page Down. */
  pageSize: number;
  scrollTo: (index: number) => void;
}

/** Moves the focus with the arrow keys. A distant row exists only after it is scrolled to, so the focus follows later. */
export function useRowKeys({ rooms, active, scroller, pageSize, scrollTo }: RowKeysOptions) {
  const wanted = useRef(-1);
  useLayoutEffect(() => {
    const row = `[data-index="${wanted.current}"] a`;
    const link = scroller.current?.querySelector<HTMLElement>(row);
    if (!link) return;
    wanted.current = -1;
    link.focus({ preventScroll: true });
  });
  return (event: KeyboardEvent) => {
    const step = stepOf(event, pageSize, rooms.length);
    if (step === undefined || !(event.target as Element).matches('a')) return;
    event.preventDefault();
    wanted.current = Math.max(0, Math.min(rooms.length - 1, active.index + step));
    active.set(rooms[wanted.current]?.name);
    scrollTo(wanted.current);
  };
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
