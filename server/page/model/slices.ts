/** How long a slice may block rendering, in milliseconds. */
const sliceMs = 6;

/** How work in slices goes on. */
export interface SliceOptions {
  /** False: the work was replaced, and is not continued. */
  isCurrent: () => boolean;
  /** Called after each slice; `isDone` after the last. */
  onSlice: (isDone: boolean) => void;
}

/** Runs work that yields often: the first slice at once, the others while the page can render in between. */
export function runInSlices(work: Iterator<void>, options: SliceOptions): void {
  if (!options.isCurrent()) return;
  const until = performance.now() + sliceMs;
  let isDone = false;
  do isDone = work.next().done === true;
  while (!isDone && performance.now() < until);
  options.onSlice(isDone);
  if (!isDone) setTimeout(() => runInSlices(work, options));
}

type Compare<Item> = (a: Item, b: Item) => number;

/** Sorted in a fraction of a millisecond. */
const runLength = 256;
/** Steps of a merge between two looks at the clock. */
const mergeSteps = 512;

/** A merge sort that yields often. */
export function* sortedInSlices<Item>(
  items: readonly Item[],
  compare: Compare<Item>,
): Generator<void, Item[]> {
  let runs: Item[][] = [];
  for (let from = 0; from < items.length; from += runLength) {
    runs.push(items.slice(from, from + runLength).sort(compare));
    yield;
  }
  while (runs.length > 1) runs = yield* mergedPairs(runs, compare);
  return runs[0] ?? [];
}

function* mergedPairs<Item>(
  runs: readonly Item[][],
  compare: Compare<Item>,
): Generator<void, Item[][]> {
  const merged: Item[][] = [];
  for (let i = 0; i < runs.length; i += 2) {
    const [one, other] = [runs[i] ?? [], runs[i + 1]];
    merged.push(other ? yield* mergedTwo(one, other, compare) : one);
  }
  return merged;
}

function* mergedTwo<Item>(
  one: readonly Item[],
  other: readonly Item[],
  compare: Compare<Item>,
): Generator<void, Item[]> {
  const all: Item[] = [];
  let [i, j] = [0, 0];
  while (i < one.length && j < other.length) {
    const [a, b] = [one[i] as Item, other[j] as Item];
    if (compare(a, b) <= 0) {
      all.push(a);
      i += 1;
    } else {
      all.push(b);
      j += 1;
    }
    if (all.length % mergeSteps === 0) yield;
  }
  return all.concat(one.slice(i), other.slice(j));
}
