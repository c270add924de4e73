import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';

/** A row that is known by the name of its room. */
type Named = { readonly name: string };

/** The room that has the focus, or had it last. */
export interface ActiveRoom {
  /** -1: none. */
  index: number;
  set: (name: string | undefined) => void;
}

/** By name, so that it survives reordering, and a visit to the room. */
const activeName = signal<string | undefined>(undefined);

const set = (name: string | undefined) => {
  activeName.value = name;
};

/** Tracks the active room. */
export function useActiveRoom(rooms: readonly Named[]): ActiveRoom {
  const name = activeName.value;
  const index = useMemo(
    () => (name === undefined ? -1 : rooms.findIndex((room) => room.name === name)),
    [rooms, rooms.length, name],
  );
  return { index, set };
}

/** Focuses the row of the room that was visited, if nothing else has the focus. */
export function useReturningFocus(
  scroller: { readonly current: HTMLElement | null },
  activeIndex: number,
): void {
  const isDone = useRef(activeName.peek() === undefined);
  useEffect(() => {
    const link = linkOf(scroller.current, activeIndex);
    if (isDone.current || !link) return;
    isDone.current = true;
    const { activeElement } = document;
    const isFree = activeElement === document.body || activeElement?.id === 'main';
    if (isFree && isInSight(link, scroller.current)) link.focus({ preventScroll: true });
  });
}

const linkOf = (scroller: HTMLElement | null, index: number) =>
  scroller?.querySelector<HTMLElement>(`[data-index="${index}"] a`) ?? undefined;

function isInSight(link: HTMLElement, scroller: HTMLElement | null): boolean {
  const [row, list] = [link.getBoundingClientRect(), scroller?.getBoundingClientRect()];
  if (!list) return false;
  // A list may be longer than the window, which scrolls then.
  return row.bottom > Math.max(list.top, 0) && row.top < Math.min(list.bottom, innerHeight);
}

/** The list that the keys move through. */
export interface RowKeysOptions {
  rooms: readonly Named[];
  active: ActiveRoom;
  scroller: { readonly current: HTMLElement | null };
  /** Rows per page, for Page Up and Page Down. */
  pageSize: number;
  /** Brings a row into sight that may not be in the document. Without it, every row that is wanted is there. */
  scrollTo?: (index: number) => void;
}

/** Moves the focus with the arrow keys. A distant row exists only after it is scrolled to, so the focus follows later. */
export function useRowKeys({ rooms, active, scroller, pageSize, scrollTo }: RowKeysOptions) {
  const wanted = useRef(-1);
  useLayoutEffect(() => {
    const link = linkOf(scroller.current, wanted.current);
    if (!link) return;
    wanted.current = -1;
    link.focus({ preventScroll: true });
    if (!scrollTo) link.scrollIntoView({ block: 'nearest' });
  });
  return (event: KeyboardEvent) => {
    const step = stepOf(event, pageSize, rooms.length);
    if (step === undefined || !(event.target as Element).matches('a')) return;
    event.preventDefault();
    wanted.current = Math.max(0, Math.min(rooms.length - 1, active.index + step));
    active.set(rooms[wanted.current]?.name);
    scrollTo?.(wanted.current);
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
