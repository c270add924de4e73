import { compareNatural } from './naturalOrder.js';
import { decodedOf, type Room } from './room.js';

/** Rooms whose names begin alike. */
export interface PrefixCount {
  prefix: string;
  rooms: number;
  connections: number;
}

const separator = /[/:.]/g;

/** A decoded name up to the first `/`, `:` or `.` after a prefix; empty: there is none. */
export function nextPrefix(name: string, prefix: string): string {
  separator.lastIndex = prefix.length;
  return separator.test(name) ? name.slice(0, separator.lastIndex) : '';
}

/** The parts of a prefix, each with all before it: `a/b:` has `a/` and `a/b:`. */
export function stepsOf(prefix: string): string[] {
  const ends = [...prefix.matchAll(/[/:.]/g)].map(({ index }) => index + 1);
  if (ends.at(-1) !== prefix.length && prefix !== '') ends.push(prefix.length);
  return ends.map((end) => prefix.slice(0, end));
}

/** Counts the rooms under a prefix by the next one. Rooms are put in, changed and taken out one by one. */
export class PrefixCounts {
  readonly #prefix: string;
  readonly #groups = new Map<string, PrefixCount>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Counts a room as it is now, or no more. */
  put(room: Room, isIn: boolean): void {
    if (room.counted?.by === this) this.#add(room.counted.prefix, -1, -room.counted.connections);
    delete room.counted;
    if (!isIn) return;
    const prefix = nextPrefix(decodedOf(room), this.#prefix);
    room.counted = { by: this, prefix, connections: room.connections };
    this.#add(prefix, 1, room.connections);
  }

  /** The prefixes with the most rooms, and how many rooms and prefixes are left. */
  top(count: number): { top: PrefixCount[]; restRooms: number; restPrefixes: number } {
    const top: PrefixCount[] = [];
    let rooms = 0;
    for (const group of this.#groups.values()) {
      rooms += group.rooms;
      if (group.prefix !== '') insert(top, group, count);
    }
    const restPrefixes = this.#groups.size - (this.#groups.has('') ? 1 : 0) - top.length;
    const restRooms = top.reduce((rest, group) => rest - group.rooms, rooms);
    return { top, restRooms, restPrefixes };
  }

  /** The counts of one prefix; undefined: no room has it. */
  of(prefix: string): PrefixCount | undefined {
    return this.#groups.get(prefix);
  }

  #add(prefix: string, rooms: number, connections: number): void {
    const group = this.#groups.get(prefix) ?? { prefix, rooms: 0, connections: 0 };
    group.rooms += rooms;
    group.connections += connections;
    if (group.rooms > 0) this.#groups.set(prefix, group);
    else this.#groups.delete(prefix);
  }
}

/** Keeps the first ones of a short sorted list. */
function insert(top: PrefixCount[], group: PrefixCount, count: number): void {
  const last = top.at(-1);
  if (top.length === count && last && bySize(last, group) <= 0) return;
  const at = top.findIndex((other) => bySize(group, other) < 0);
  top.splice(at < 0 ? top.length : at, 0, group);
  if (top.length > count) top.pop();
}

const bySize = (a: PrefixCount, b: PrefixCount) =>
  b.rooms - a.rooms || compareNatural(a.prefix, b.prefix);
