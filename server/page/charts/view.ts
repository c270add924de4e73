import { signal } from '@preact/signals';
import { now } from '../model/polling.js';
import { query, route, setQuery } from '../router.js';
import { type RangeKind, rangeOf, rangeWords, type TimeRange } from './ranges.js';

/** What all charts of the page share: the range that was chosen, the parts that were zoomed to, and the cursor. */

/** The range that people chose last. */
export const chosenRange = signal<RangeKind>(askedRange() ?? 'minutes');
/** The parts that were zoomed to, each inside of the one before. Empty: the whole range. */
export const zooms = signal<readonly TimeRange[]>([]);
/** The moment that is pointed at, in seconds since 1970 by the clock of this page; undefined: none. */
export const cursor = signal<number | undefined>(undefined);

const openedSecond = Math.floor(performance.timeOrigin / 1000);

/** All ranges. A view without a day of history offers fewer. */
export const allRanges: readonly RangeKind[] = ['minutes', 'hour', 'opened', 'day'];

/** The range of a view that offers these: the chosen one, else an hour. */
export const kindAmong = (kinds: readonly RangeKind[]): RangeKind =>
  kinds.includes(chosenRange.value) ? chosenRange.value : 'hour';

/** The whole range, and the part of it that is shown. Moves on once a second, unless a part was zoomed to. */
export function shownRange(kinds: readonly RangeKind[]): {
  whole: TimeRange;
  shown: TimeRange;
} {
  const whole = rangeOf(kindAmong(kinds), Math.floor(now.value / 1000), openedSecond);
  return { whole, shown: zooms.value.at(-1) ?? whole };
}

/** Chooses a range, and leaves the part that was zoomed to. */
export function chooseRange(kind: RangeKind): void {
  chosenRange.value = kind;
  zooms.value = [];
  writeRange();
}

/** Takes the range of the address, so that a reload and a link keep it. Without one there, writes the chosen one. */
export function syncRange(): void {
  const asked = askedRange();
  if (asked) chosenRange.value = asked;
  else writeRange();
}

function askedRange(): RangeKind | undefined {
  const asked = query.peek().get('range') ?? '';
  return Object.hasOwn(rangeWords, asked) ? (asked as RangeKind) : undefined;
}

/** The address of a room has no query: a question mark may be a part of its name. */
function writeRange(): void {
  if (route.peek().view === 'room') return;
  const { value } = chosenRange;
  setQuery({ range: value === 'minutes' ? undefined : value });
}

/** Zooms to a part. */
export function zoomTo(range: TimeRange): void {
  zooms.value = [...zooms.value, range];
}

/** Goes back to what was shown before the last zoom. */
export function zoomBack(): void {
  zooms.value = zooms.value.slice(0, -1);
}
