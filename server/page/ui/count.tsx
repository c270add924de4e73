import { useRef } from 'preact/hooks';

const format = new Intl.NumberFormat('en');

/** A number as it is written: `12,345`. */
export const written = (value: number) => format.format(value);

const shortFormat = new Intl.NumberFormat('en', { notation: 'compact' });

/** A number where there is little room: `12K`. */
export const writtenShort = (value: number) => shortFormat.format(value);

/** A number that changes more often than that stays calm. */
const calmMs = 1500;

/** A number that shows for a moment that it has changed; null: unknown, which is not the same as none. */
export function Count({ value }: { value: number | null }) {
  if (value === null) return <Unknown />;
  return <KnownCount value={value} />;
}

/** In place of a number that is not known. */
export function Unknown() {
  return (
    <span class="quiet" title="Not known">
      <span aria-hidden="true">–</span>
      <span class="visually-hidden">not known</span>
    </span>
  );
}

function KnownCount({ value }: { value: number }) {
  const before = useRef(value);
  const changedAtMs = useRef(Number.NEGATIVE_INFINITY);
  const shows = useRef(0);
  if (before.current !== value) {
    const nowMs = performance.now();
    if (nowMs - changedAtMs.current > calmMs) shows.current += 1;
    changedAtMs.current = nowMs;
    before.current = value;
  }
  // A new key begins the animation anew.
  return (
    <span key={shows.current} class={shows.current > 0 ? 'count changed' : 'count'}>
      {written(value)}
    </span>
  );
}
