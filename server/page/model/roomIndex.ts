import type { RoomColumns } from '../stream/messages.js';
import { EmptiedRooms } from './emptiedRooms.js';
import { NameOrder } from './nameOrder.js';
import { PrefixCounts } from './prefixCounts.js';
import { byName, byRank, newRoom, type Room } from './room.js';
import { isEverything, noFilter, passes, type RoomFilter } from './roomFilter.js';
import { runInSlices } from './slices.js';
import { positionsOf, spliced } from './sortedRooms.js';

export type { Room } from './room.js';

/** What a list of rooms can be sorted by. */
export type RoomOrder = 'connections' | 'name';

/** Rooms looked at between two looks at the clock. */
const roomsAtOnce = 64;

/**
 * All rooms, most connections first or by name, and those that pass a filter. Changes wait until `settle`: then all
 * counts, their sum and the orders change together. Changed rooms are moved one by one, because a sort of 100,000 would
 * block the page.
 */
export class RoomIndex {
  #rooms = new Map<string, Room>();
  readonly #pending = new Map<string, number>();
  #ranked: Room[] = [];
  readonly #names = new NameOrder();
  #connections = 0;
  #order: RoomOrder = 'connections';
  #filter: RoomFilter = noFilter;
  #matches: Room[] = [];
  #prefixes: PrefixCounts | undefined;
  #search = 0;
  #isSearching = false;
  /** Rooms changed during the search, so the order of the matches may be wrong. */
  #isDisturbed = false;
  readonly #onProgress: () => void;
  readonly emptied = new EmptiedRooms();

  /** Calls `onProgress` when a search or a sort has made progress. */
  constructor(onProgress: () => void) {
    this.#onProgress = onProgress;
  }

  get size(): number {
    return this.#rooms.size;
  }

  get connections(): number {
    return this.#connections;
  }

  /** The rooms that pass the filter, in the order, as of the last `settle`. */
  get shown(): readonly Room[] {
    return isEverything(this.#filter) ? this.#base : this.#matches;
  }

  /** Connections of `shown`. */
  get shownConnections(): number {
    if (isEverything(this.#filter)) return this.#connections;
    return this.#matches.reduce((sum, room) => sum + room.connections, 0);
  }

  /** All rooms, most connections first. */
  get byConnections(): readonly Room[] {
    return this.#ranked;
  }

  /** The busiest rooms, regardless of the filter. */
  busiest(count: number): readonly Room[] {
    return this.#ranked.slice(0, count);
  }

  get isSearching(): boolean {
    return this.#isSearching;
  }

  /** Counts of the shown rooms by prefix; undefined: not wanted. */
  get prefixes(): PrefixCounts | undefined {
    return this.#prefixes;
  }

  get(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /** Replaces all rooms. `names` must be sorted by connections, then by name. */
  replace({ names, counts }: RoomColumns): void {
    const old = this.#rooms;
    this.#pending.clear();
    this.#rooms = new Map();
    this.#connections = 0;
    this.#ranked = names.map((name, i) => {
      const room = old.get(name) ?? newRoom(name);
      room.connections = counts[i] ?? 0;
      this.#connections += room.connections;
      this.#rooms.set(name, room);
      return room;
    });
    this.#names.replace(this.#rooms, this.#ranked);
    this.#restart();
  }

  /** Notes new counts. */
  change({ names, counts }: RoomColumns): void {
    names.forEach((name, i) => {
      this.#pending.set(name, counts[i] ?? 0);
    });
  }

  /** Applies the noted counts, and moves the changed rooms. Returns whether there were any. */
  settle(): boolean {
    if (this.#pending.size === 0) return false;
    const before = [...this.#pending.keys()].flatMap((name) => this.#rooms.get(name) ?? []);
    // Rooms are found by their old counts.
    const ranks = positionsOf(this.#ranked, before, byRank);
    const places = this.#placesIn(before);
    const changed = [...this.#pending].map(([name, count]) => this.#apply(name, count));
    this.#pending.clear();
    const listed = changed.filter((room) => this.#isListed(room));
    this.#ranked = spliced(this.#ranked, ranks, listed, byRank);
    this.#names.update(changed, (room) => this.#isListed(room));
    this.#updateMatches(changed, places);
    return true;
  }

  /** Narrows `shown`, which then fills gradually. */
  filter(changes: Partial<RoomFilter>): void {
    const next = { ...this.#filter, ...changes };
    next.query = next.query.toLowerCase();
    const { query, prefix, only } = this.#filter;
    if (next.query === query && next.prefix === prefix && next.only === only) return;
    this.#filter = next;
    this.#restart();
  }

  /** Finds rooms whose decoded or raw name contains this. */
  search(query: string): void {
    this.filter({ query });
  }

  sort(order: RoomOrder): void {
    if (order === this.#order) return;
    this.#order = order;
    this.#restart();
  }

  /** Replaces `only` of the filter by a newer state of the same set. */
  refresh(only: ReadonlyMap<string, unknown>, before: ReadonlyMap<string, unknown>): void {
    this.#filter = { ...this.#filter, only };
    const names = [...only.keys(), ...before.keys()].filter(
      (name) => only.has(name) !== before.has(name),
    );
    const changed = names.flatMap((name) => this.#rooms.get(name) ?? []);
    this.#updateMatches(changed, this.#placesIn(changed));
  }

  /** Begins or ends to count the shown rooms by prefix. */
  countPrefixes(isWanted: boolean): void {
    if (isWanted === (this.#prefixes !== undefined)) return;
    this.#prefixes = isWanted ? new PrefixCounts(this.#filter.prefix) : undefined;
    if (isWanted) this.#restart();
  }

  get #base(): Room[] {
    return (this.#order === 'name' && this.#names.rows) || this.#ranked;
  }

  get #compare() {
    return this.#order === 'name' && this.#names.rows ? byName : byRank;
  }

  get #isLookNeeded(): boolean {
    return !isEverything(this.#filter) || this.#prefixes !== undefined;
  }

  #isListed(room: Room): boolean {
    return this.#rooms.get(room.name) === room;
  }

  #apply(name: string, connections: number): Room {
    const room = this.#rooms.get(name) ?? newRoom(name);
    this.#connections += connections - room.connections;
    room.connections = connections;
    const isLeft = connections === 0 && this.#rooms.delete(name);
    if (connections > 0) this.#rooms.set(name, room);
    this.emptied.note(name, isLeft);
    return room;
  }

  /** Where the rooms are among the matches. Empty during a search, when all matches are collected again. */
  #placesIn(rooms: readonly Room[]): number[] {
    if (isEverything(this.#filter) || this.#isSearching) return [];
    return positionsOf(this.#matches, rooms, this.#compare);
  }

  #updateMatches(changed: readonly Room[], places: readonly number[]): void {
    if (!this.#isLookNeeded) return;
    for (const room of changed) this.#look(room);
    if (isEverything(this.#filter)) return;
    const matching = changed.filter(({ isMatch }) => isMatch);
    if (this.#isSearching) this.#gather();
    else this.#matches = spliced(this.#matches, places, matching, this.#compare);
    this.#isDisturbed = this.#isSearching;
  }

  #restart(): void {
    this.#search += 1;
    this.#matches = [];
    this.#isDisturbed = false;
    this.#names.abandon();
    const search = this.#search;
    if (this.#prefixes) this.#prefixes = new PrefixCounts(this.#filter.prefix);
    this.#isSearching = this.#order === 'name' || this.#isLookNeeded;
    if (!this.#isSearching) return;
    runInSlices(this.#work(), {
      isCurrent: () => search === this.#search,
      onSlice: (isDone) => {
        this.#isSearching = !isDone;
        if (isDone && this.#isDisturbed) this.#gather();
        this.#onProgress();
      },
    });
  }

  /** What has to be done when the rooms, the order or the filter are new. */
  *#work(): Generator<void, void> {
    if (this.#order === 'name') yield* this.#names.build(this.#rooms);
    if (!this.#isLookNeeded) return;
    let looked = 0;
    for (const room of this.#base) {
      // A room that changed meanwhile was looked at, and is among the matches.
      const isNew = room.search !== this.#search;
      if (isNew) this.#look(room);
      if (isNew && room.isMatch) this.#matches.push(room);
      looked += 1;
      if (looked % roomsAtOnce === 0) yield;
    }
  }

  #look(room: Room): void {
    room.search = this.#search;
    room.isMatch = this.#isListed(room) && passes(room, this.#filter);
    this.#prefixes?.put(room, room.isMatch);
  }

  #gather(): void {
    const search = this.#search;
    this.#matches = this.#base.filter((room) => room.search === search && room.isMatch);
  }
}
