import type { ClockRange } from '../wire/divergence.js';

/** Sets of clocks by client, each a flat list `[from, to, from, to, ...]`: compact for whole states. */
export type ClockSets = Map<number, number[]>;

/** Adds a range behind the client's last one, joined to it when they touch. */
export function addClocks(sets: ClockSets, client: number, from: number, to: number): void {
  const flat = sets.get(client);
  if (flat === undefined) sets.set(client, [from, to]);
  else if (flat.at(-1) === from) flat[flat.length - 1] = to;
  else flat.push(from, to);
}

/** The same clocks, sorted, without overlaps and without ranges that touch. */
export function normalize(flat: readonly number[]): number[] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i] ?? 0, flat[i + 1] ?? 0]);
  pairs.sort((a, b) => a[0] - b[0]);
  const result: number[] = [];
  for (const [from, to] of pairs) {
    const end = result.at(-1);
    if (end !== undefined && from <= end) result[result.length - 1] = Math.max(end, to);
    else result.push(from, to);
  }
  return result;
}

/** The clocks of `a` that are not in `b`; both normalized. */
export function subtract(a: readonly number[], b: readonly number[]): number[] {
  const result: number[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    let from = a[i] ?? 0;
    const to = a[i + 1] ?? 0;
    while ((b[j + 1] ?? Infinity) <= from) j += 2;
    // `j` stays at the last range that may reach into the next one of `a`.
    for (let k = j; from < to; k += 2) {
      const start = b[k] ?? Infinity;
      if (start > from) result.push(from, Math.min(start, to));
      from = Math.max(from, b[k + 1] ?? Infinity);
    }
  }
  return result;
}

/** How many clocks the sets hold. */
export function countClocks(sets: ClockSets): number {
  let count = 0;
  for (const flat of sets.values()) {
    for (let i = 0; i < flat.length; i += 2) count += (flat[i + 1] ?? 0) - (flat[i] ?? 0);
  }
  return count;
}

/** The first ranges of the sets, as objects, and how many were left out. */
export function listRanges(sets: ClockSets, limit: number): { ranges: ClockRange[]; more: number } {
  const ranges: ClockRange[] = [];
  let more = 0;
  for (const client of [...sets.keys()].sort((a, b) => a - b)) {
    const flat = sets.get(client) ?? [];
    const room = Math.max(0, limit - ranges.length) * 2;
    for (let i = 0; i < Math.min(room, flat.length); i += 2) {
      ranges.push({ client, from: flat[i] ?? 0, to: flat[i + 1] ?? 0 });
    }
    more += Math.max(0, flat.length - room) / 2;
  }
  return { ranges, more };
}
