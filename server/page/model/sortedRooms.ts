import type { Room } from './room.js';

type Compare = (a: Room, b: Room) => number;

/** Where rooms are in a sorted list, ascending. Those that are not in it are left out. */
export function positionsOf(
  list: readonly Room[],
  rooms: readonly Room[],
  compare: Compare,
): number[] {
  const positions: number[] = [];
  for (const room of rooms) {
    const at = firstNotBefore(list, room, compare);
    if (list[at] === room) positions.push(at);
  }
  return positions.sort((a, b) => a - b);
}

/**
 * Takes the rooms at some positions out of a sorted list, and puts others in. Costs some comparisons for each of them,
 * and a copy of the list.
 */
export function spliced(
  list: readonly Room[],
  positions: readonly number[],
  added: readonly Room[],
  compare: Compare,
): Room[] {
  const rest = without(list, positions);
  const sorted = [...added].sort(compare);
  const places = sorted.map((room) => firstNotBefore(rest, room, compare));
  const parts: (readonly Room[])[] = [];
  let from = 0;
  sorted.forEach((room, i) => {
    const place = places[i] ?? rest.length;
    if (place > from) parts.push(rest.slice(from, place));
    parts.push([room]);
    from = place;
  });
  return joined([...parts, rest.slice(from)]);
}

function without(list: readonly Room[], positions: readonly number[]): readonly Room[] {
  if (positions.length === 0) return list;
  const parts: (readonly Room[])[] = [];
  let from = 0;
  for (const position of positions) {
    if (position > from) parts.push(list.slice(from, position));
    from = position + 1;
  }
  return joined([...parts, list.slice(from)]);
}

/** Arguments of one call are limited, and copying part by part is slow. */
const partsAtOnce = 10_000;

function joined(parts: readonly (readonly Room[])[]): Room[] {
  let all: Room[] = [];
  for (let i = 0; i < parts.length; i += partsAtOnce)
    all = all.concat(...parts.slice(i, i + partsAtOnce));
  return all;
}

/** Binary search. */
function firstNotBefore(list: readonly Room[], room: Room, compare: Compare): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = list[middle];
    if (other && compare(other, room) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
