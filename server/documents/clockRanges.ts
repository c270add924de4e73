import type { ClockRange } from '../wire/divergence.js';

/** Sets of clocks by client. Each is a flat list `[from, to, from, to, ...]`, which stays compact for whole states. */
export type ClockSets = Map<number, number[]>;

/** Appends a range to the list of a client. Joins it with the last range if they touch. */
export function addClocks(sets: ClockSets, client: number, from: number, to: number): void {
  const flat = sets.get(client);
  if (flat === undefined) sets.set(client, [from, to]);
  else if (flat.at(-1) === from) flat[flat.length - 1] = to;
  else flat.push(from, to);
}

/** Sorts ranges and joins those that overlap or touch. */
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

/** Normalizes the ranges of every client in place. */
export function normalizeAll(sets: ClockSets): ClockSets {
  for (const [client, flat] of sets) sets.set(client, normalize(flat));
  return sets;
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

/** The clocks in any of the sets; all normalized. */
export function union(all: readonly ClockSets[]): ClockSets {
  const result: ClockSets = new Map();
  for (const sets of all) {
    for (const [client, flat] of sets) {
      const known = result.get(client);
      // Most states are equal: then the first list is copied and nothing is sorted.
      if (known === undefined) result.set(client, [...flat]);
      else if (subtract(flat, known).length > 0) result.set(client, normalize([...known, ...flat]));
    }
  }
  return result;
}

/** The clocks of `all` that are not in `own`; both normalized. */
export function difference(all: ClockSets, own: ClockSets): ClockSets {
  const result: ClockSets = new Map();
  for (const [client, flat] of all) {
    const missing = subtract(flat, own.get(client) ?? []);
    if (missing.length > 0) result.set(client, missing);
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

/** The first `limit` ranges of the sets, sorted by client. `more`: how many were left out. */
export function listRanges(sets: ClockSets, limit: number): { ranges: ClockRange[]; more: number } {
  const ranges: ClockRange[] = [];
  let more = 0;
  for (const client of [...sets.keys()].sort((a, b) => a - b)) {
    const flat = sets.get(client) ?? [];
    const free = Math.max(0, limit - ranges.length) * 2;
    for (let i = 0; i < Math.min(free, flat.length); i += 2) {
      ranges.push({ client, from: flat[i] ?? 0, to: flat[i + 1] ?? 0 });
    }
    more += Math.max(0, flat.length - free) / 2;
  }
  return { ranges, more };
}
