import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Room } from '../model/roomIndex.js';

/** Which room of the list has the focus, or had it last. */
export interface ActiveRoom {
  /** -1: none. */
  index: number;
  set: (name: string | undefined) => void;
}

/** Follows the active room by its name, wherever it comes to stand. */
export function useActiveRoom(rooms: readonly Room[]): ActiveRoom {
  const [activeName, set] = useState<string>();
  const index = activeName === undefined ? -1 : rooms.findIndex(({ name }) => name === activeName);
  return { index, set };
}

/** What the keys need to know of the list. */
export interface RowKeysOptions {
  rooms: readonly Room[];
  active: ActiveRoom;
  scroller: { readonly current: HTMLElement | null };
  /** Rows that a page has. */
  pageSize: number;
  scrollTo: (index: number) => void;
}

/** Moves the focus from row to row; a row that is far away is there only once it has been scrolled to. */
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
