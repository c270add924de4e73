/**
 * Where views were scrolled to, by entry of the browser's history, so that Back and Forward find the place again.
 * The browser's own restoring comes before the view is there. Kept until the page is closed.
 */

import { useLayoutEffect } from 'preact/hooks';
import { splitFragment } from './address.js';
import { BoundedMap } from './model/boundedMap.js';

const maxPlaces = 500;
/** By entry and scroller. The window is the scroller ''. */
const places = new BoundedMap<string, number>(maxPlaces);
/** Content that is loaded again makes the page high enough only later, on a slow machine much later. */
const patienceMs = 10_000;
/** Then the place is where the user goes. */
const userActs = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const;

let entries = 0;
let shownPath: string | undefined;

/** The id of the present entry. A new entry has none until it is asked for. */
function entryId(): string {
  const known = knownEntry();
  if (known !== undefined) return known;
  entries += 1;
  const entry = `${performance.timeOrigin}-${entries}`;
  history.replaceState({ ...history.state, entry }, '');
  return entry;
}

const pathNow = () => splitFragment(location.hash).path;

const knownEntry = (): string | undefined => (history.state as { entry?: string } | null)?.entry;

/** The browser tells of scrolling only with its next frame. The address may be that of another view by then. */
function keep(scroller: string, top: number): void {
  if (pathNow() !== shownPath) return;
  places.set(`${entryId()} ${scroller}`, top);
}

/** Begins to note where the window is scrolled to. */
export function keepPlaces(): void {
  history.scrollRestoration = 'manual';
  shownPath = pathNow();
  addEventListener('scroll', () => keep('', scrollY), { passive: true });
}

/** Scrolls a view that was just shown to its place of before, or to its top if it is new. */
export function goToPlace(): void {
  shownPath = pathNow();
  const entry = entryId();
  const top = places.get(`${entry} `) ?? 0;
  scrollTo(0, top);
  const untilMs = performance.now() + patienceMs;
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
