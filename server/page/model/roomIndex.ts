import { compareRooms } from '../stream/fleetState.js';
import type { RoomColumns } from '../stream/messages.js';
import { decodedName } from './roomNames.js';

/** A room in the list. */
export interface Room {
  readonly name: string;
  connections: number;
  /** Its position in the order may have changed. */
  isChanged: boolean;
  /** The last search that checked it, and the result. */
  search: number;
  isMatch: boolean;
  /** The searched text, created on demand. */
  text?: string;
}

/** How long a slice of a search may block rendering. */
const sliceMs = 6;

/**
 * All rooms, most connections first. Counts change immediately, the order when `settle` is called. It
 * merges the changed rooms into the sorted rest, because a full sort of 100,000 would block the page.
 */
export class RoomIndex {
  #rooms = new Map<string, Room>();
  #sorted: Room[] = [];
  #matches: Room[] = [];
  readonly #changed = new Set<Room>();
  #connections = 0;
  #query = '';
  #search = 0;
  #isSearching = false;
  readonly #onProgress: () => void;

  /** Calls `onProgress` when a search has made progress. */
  constructor(onProgress: () => void) {
    this.#onProgress = onProgress;
  }

  get size(): number {
    return this.#rooms.size;
  }

  get connections(): number {
    return this.#connections;
  }

  /** The rooms that match the search, as of the last `settle`. */
  get shown(): readonly Room[] {
    return this.#query === '' ? this.#sorted : this.#matches;
  }

  /** The busiest rooms, regardless of the search. */
  busiest(count: number): readonly Room[] {
    return this.#sorted.slice(0, count);
  }

  get isSearching(): boolean {
    return this.#isSearching;
  }

  get(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /** Replaces all rooms. `names` must be sorted. */
  replace({ names, counts }: RoomColumns): void {
    const old = this.#rooms;
    this.#rooms = new Map();
    this.#forgetChanges();
    this.#connections = 0;
    this.#sorted = names.map((name, i) => {
      const room = old.get(name) ?? newRoom(name);
      room.connections = counts[i] ?? 0;
      this.#connections += room.connections;
      this.#rooms.set(name, room);
      return room;
    });
    this.#restartSearch();
  }

  change({ names, counts }: RoomColumns): void {
    names.forEach((name, i) => {
      this.#changeOne(name, counts[i] ?? 0);
    });
  }

  #changeOne(name: string, connections: number): void {
    const room = this.#rooms.get(name) ?? newRoom(name);
    this.#connections += connections - room.connections;
    room.connections = connections;
    room.isChanged = true;
    this.#changed.add(room);
    if (connections > 0) this.#rooms.set(name, room);
    else this.#rooms.delete(name);
  }

  /** Moves changed rooms to their positions. Returns whether there were any. */
  settle(): boolean {
    if (this.#changed.size === 0) return false;
    this.#sorted = merged(
      this.#sorted.filter((room) => !room.isChanged),
      [...this.#changed].filter((room) => this.#rooms.get(room.name) === room).sort(byRank),
    );
    if (this.#query !== '') {
      for (const room of this.#changed) this.#look(room);
      this.#gather();
    }
    this.#forgetChanges();
    return true;
  }

  #forgetChanges(): void {
    for (const room of this.#changed) room.isChanged = false;
    this.#changed.clear();
  }

  /** Finds rooms whose decoded or raw name contains this. `shown` fills gradually. */
  search(query: string): void {
    this.#query = query.toLowerCase();
    this.#restartSearch();
  }

  #restartSearch(): void {
    this.#search += 1;
    this.#matches = [];
    this.#isSearching = this.#query !== '';
    if (this.#isSearching) this.#searchOn(this.#search, this.#sorted, 0);
  }

  /** Runs one slice of a search and schedules the next. */
  #searchOn(search: number, rooms: readonly Room[], from: number): void {
    if (search !== this.#search) return;
    const until = performance.now() + sliceMs;
    let next = from;
    while (next < rooms.length && (next % 64 !== 0 || next === from || performance.now() < until)) {
      const room = rooms[next];
      if (room) this.#look(room);
      next += 1;
    }
    this.#isSearching = next < rooms.length;
    this.#gather();
    if (this.#isSearching) setTimeout(() => this.#searchOn(search, rooms, next));
    this.#onProgress();
  }

  #look(room: Room): void {
    room.text ??= textOf(room.name);
    room.search = this.#search;
    room.isMatch = room.text.includes(this.#query);
  }

  #gather(): void {
    const search = this.#search;
    this.#matches = this.#sorted.filter((room) => room.search === search && room.isMatch);
  }
}

const newRoom = (name: string): Room => ({
  name,
  connections: 0,
  isChanged: false,
  search: 0,
  isMatch: false,
});

const byRank = (a: Room, b: Room) => compareRooms(a.connections, a.name, b.connections, b.name);

function textOf(name: string): string {
  const decoded = decodedName(name);
  const text = decoded === name ? name : `${decoded}\n${name}`;
  return text.toLowerCase();
}

/** Merges two sorted lists. */
function merged(long: readonly Room[], short: readonly Room[]): Room[] {
  const all: Room[] = [];
  let next = 0;
  for (const room of long) {
    for (let other = short[next]; other && byRank(other, room) < 0; other = short[next]) {
      all.push(other);
      next += 1;
    }
    all.push(room);
  }
  return all.concat(short.slice(next));
}
