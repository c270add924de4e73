/**
 * Where views were scrolled to, by entry of the browser's history, so that Back and Forward find the place again.
 * The browser's own restoring comes before the view is there. Kept until the page is closed.
 */

import { useLayoutEffect } from 'preact/hooks';

/** By entry and scroller. The window is the scroller ''. */
const places = new Map<string, number>();
const maxPlaces = 500;
/** Content that is loaded again makes the page high enough only later, on a slow machine much later. */
const patienceMs = 10_000;
/** Then the place is where the user goes. */
const userActs = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const;

let entries = 0;

/** The id of the present entry. A new entry has none until it is asked for. */
function entryId(): string {
  const known = knownEntry();
  if (known !== undefined) return known;
  entries += 1;
  const entry = `${performance.timeOrigin}-${entries}`;
  history.replaceState({ ...history.state, entry }, '');
  return entry;
}

const knownEntry = (): string | undefined => (history.state as { entry?: string } | null)?.entry;

function keep(scroller: string, top: number): void {
  const key = `${entryId()} ${scroller}`;
  places.delete(key);
  places.set(key, top);
  const [oldest] = places.keys();
  if (places.size > maxPlaces && oldest !== undefined) places.delete(oldest);
}

/** Begins to note where the window is scrolled to. */
export function keepPlaces(): void {
  history.scrollRestoration = 'manual';
  addEventListener('scroll', () => keep('', scrollY), { passive: true });
}

/** Scrolls a view that was just shown to its place of before, or to its top if it is new. */
export function goToPlace(): void {
  const top = knownEntry() === undefined ? 0 : (places.get(`${entryId()} `) ?? 0);
  entryId();
  scrollTo(0, top);
  const untilMs = performance.now() + patienceMs;
  const entry = entryId();
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  for (const act of userActs) addEventListener(act, end, { once: true, passive: true });
  const tryAgain = () => {
    isOver ||= scrollY >= top || performance.now() > untilMs || knownEntry() !== entry;
    if (isOver) {
      for (const act of userActs) removeEventListener(act, end);
      return;
    }
    scrollTo(0, top);
    requestAnimationFrame(tryAgain);
  };
  requestAnimationFrame(tryAgain);
}

/** Keeps the place of a scroller inside of a view. Its content must be there when it is mounted. */
export function useKeptPlace(
  scroller: { readonly current: HTMLElement | null },
  name: string,
): void {
  useLayoutEffect(() => {
    const { current } = scroller;
    if (!current) return undefined;
    current.scrollTop = places.get(`${entryId()} ${name}`) ?? 0;
    const note = () => keep(name, current.scrollTop);
    current.addEventListener('scroll', note, { passive: true });
    return () => current.removeEventListener('scroll', note);
  }, [scroller, name]);
}
