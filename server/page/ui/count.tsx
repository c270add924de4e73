import { useRef } from 'preact/hooks';
import { Calm } from './calm.js';
import { formatNumber } from './numbers.js';

/** A number that changes more often than this is not highlighted again. */
const calmMs = 1500;
/** Where many numbers change, none is highlighted: it would flicker. */
const calm = new Calm();

/** A number, highlighted for a moment when it changes. Null means unknown, not zero. */
export function Count({ value }: { value: number | null }) {
  if (value === null) return <Unknown />;
  return <KnownCount value={value} />;
}

/** Stands in for what is unknown. `reason`: why. */
export function Unknown({ reason }: { reason?: string }) {
  return (
    <span class="quiet" title={reason ?? 'Unknown'}>
      <span aria-hidden="true">–</span>
      <span class="visually-hidden">{reason ?? 'unknown'}</span>
    </span>
  );
}

function KnownCount({ value }: { value: number }) {
  const before = useRef(value);
  const changedAtMs = useRef(Number.NEGATIVE_INFINITY);
  const shows = useRef(0);
  if (before.current !== value) {
    const nowMs = performance.now();
    const isRare = calm.note(nowMs);
    if (isRare && nowMs - changedAtMs.current > calmMs) shows.current += 1;
    changedAtMs.current = nowMs;
    before.current = value;
  }
  // A new key restarts the animation.
  return (
    <span key={shows.current} class={shows.current > 0 ? 'count changed' : 'count'}>
      {formatNumber(value)}
    </span>
  );
}
