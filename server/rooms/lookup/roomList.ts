import { createHash } from 'node:crypto';
import type { RoomName } from '../../../machines/ports.js';
import type { SeenRoom } from '../../observations/seenRooms.js';
import { isStorable, type RoomsTable, type StoredRoom, StoreError } from '../../store/store.js';
import { firstOf } from './firstOf.js';
import type { ListedCounts } from './fleetFacts.js';
import { type Fresh, LastKnownGood } from './lastKnownGood.js';
import { PageReads } from './pageReads.js';
import { type RoomDates, roomDates } from './roomDates.js';
import { type RoomListCursor, readCursor, writeCursor } from './roomListCursor.js';

/** A room in the list of `GET /api/rooms`; null: unknown. */
export interface RoomSummary extends RoomDates {
  /** The raw name. */
  id: RoomName;
  name: RoomName;
  /** Size of the stored document. */
  bytes: number | null;
  /** True if a server holds it in memory according to the store or the live counts. False may mean unknown. */
  active: boolean;
  /** Live connections. */
  connections: number | null;
  /** Whether `connections` includes every known server. */
  complete: boolean;
  /** Servers that hold it according to the store, without those that are gone; otherwise from the live counts. */
  servers: number | null;
}

export interface RoomListQuery {
  limit: number;
  cursor?: string;
  prefix: string;
  isActiveOnly: boolean;
  sort: 'name' | 'connections';
}

export interface RoomListPage {
  rooms: RoomSummary[];
  /** Whether the live counts include every known server. */
  isComplete: boolean;
  /** Where the next page begins; undefined: this is the last. */
  cursor?: string;
}

export interface RoomListNeeds extends ListedCounts {
  rooms: RoomsTable;
  /** True if the pub-sub servers do not write to the store, so that rooms may be missing from it. */
  isStorePartial: boolean;
  /** When this service saw a room itself. */
  roomSeen: (room: RoomName) => SeenRoom | undefined;
}

/** Most items read for one page beside those that it shows. */
const maxExtraRead = 1000;
/** Most live rooms looked up in the store for one page, and how many at the same time. */
const maxLookups = 250;
const lookupsAtOnce = 25;
/** The key of a longer name contains only its beginning. */
const maxKeyChars = 1024;

/** A live room and what it is sorted by. */
interface Ranked {
  room: RoomName;
  key: string;
  connections: number;
}

/**
 * The rooms of the metadata store, in its order, followed by live rooms that are not in it. A page reads a bounded
 * number of items, so it may be short and still have a cursor.
 */
export class RoomList {
  readonly #needs: RoomListNeeds;
  readonly #known = new LastKnownGood(64);
  readonly #reads = new PageReads();
  /** Reads of live rooms, which need no store. */
  readonly #scans = new PageReads();

  constructor(needs: RoomListNeeds) {
    this.#needs = needs;
  }

  /** Rejects with `InvalidCursor` and `StoreError`. */
  async page(query: RoomListQuery): Promise<Fresh<RoomListPage>> {
    const { phase, after } = readCursor(query.cursor, query.sort);
    const key = JSON.stringify(query);
    if (phase === 'busiest')
      return fresh(await this.#scans.read(key, async () => this.#busiest(query, after)));
    if (phase === 'live')
      return fresh(await this.#reads.read(key, () => this.#liveOnly(query, after)));
    return this.#stored(query, after);
  }

  async #stored(query: RoomListQuery, after: string | undefined): Promise<Fresh<RoomListPage>> {
    const { limit, prefix, isActiveOnly } = query;
    const cursor = after === undefined ? {} : { cursor: after };
    const request = { limit, maxRead: limit + maxExtraRead, ...(prefix && { prefix }), ...cursor };
    const key = JSON.stringify(request);
    const { value, ...freshness } = await this.#known.read(key, () =>
      this.#reads.read(key, () => this.#needs.rooms.page(request)),
    );
    // Even for a stale page: the live counts are current.
    const all = this.#summaries(value.items.map((item) => [item.id, item]));
    const rooms = all.rooms.filter(({ active }) => active || !isActiveOnly);
    const page = { ...all, rooms, ...this.#cursorAfter(value.cursor, prefix) };
    const isLast = value.cursor === undefined && !freshness.isStale;
    return { value: isLast ? await this.#filled(query, page) : page, ...freshness };
  }

  /** Fills the last page of the store with live rooms, because old frontends read only one page. */
  async #filled(query: RoomListQuery, page: RoomListPage): Promise<RoomListPage> {
    const limit = query.limit - page.rooms.length;
    if (page.cursor === undefined || limit === 0) return page;
    try {
      const live = await this.#liveOnly({ ...query, limit }, undefined);
      const isComplete = page.isComplete && live.isComplete;
      return { ...live, rooms: [...page.rooms, ...live.rooms], isComplete };
    } catch (error) {
      if (error instanceof StoreError) return page;
      throw error;
    }
  }

  /** The cursor after a page of the store. */
  #cursorAfter(cursor: string | undefined, prefix: string): Pick<RoomListPage, 'cursor'> {
    if (cursor !== undefined) return { cursor: writeCursor({ phase: 'stored', after: cursor }) };
    for (const _room of this.#beyondStore(prefix))
      return { cursor: writeCursor({ phase: 'live', after: undefined }) };
    return {};
  }

  /** Live rooms that are not in the store, sorted by name. */
  async #liveOnly(
    { limit, prefix }: RoomListQuery,
    after: string | undefined,
  ): Promise<RoomListPage> {
    const rest = this.#ranked(
      this.#beyondStore(prefix),
      ({ key }) => after === undefined || key > after,
    );
    const size = this.#needs.isStorePartial ? Math.min(limit, maxLookups) : limit;
    const { page, last } = cut(firstOf(rest, size + 1, byKey), size);
    const stored = await this.#areStored(page.map(({ room }) => room));
    const rooms = page.filter(({ room }) => !stored.has(room));
    const summaries = this.#summaries(rooms.map(({ room }) => [room]));
    return { ...summaries, ...(last && next({ phase: 'live', after: last.key })) };
  }

  #busiest(
    { limit, prefix }: RoomListQuery,
    after: { connections: number; key: string } | undefined,
  ): RoomListPage {
    const rest = this.#ranked(
      this.#live(prefix),
      (room) => !after || byConnections(room, after) > 0,
    );
    const { page, last } = cut(firstOf(rest, limit + 1, byConnections), limit);
    const summaries = this.#summaries(page.map(({ room }) => [room]));
    if (!last) return summaries;
    const { connections, key } = last;
    return { ...summaries, ...next({ phase: 'busiest', after: { connections, key } }) };
  }

  /** The rooms among these that the store has. */
  async #areStored(rooms: readonly RoomName[]): Promise<Set<RoomName>> {
    const stored = new Set<RoomName>();
    const storable = rooms.filter(isStorable);
    for (let begin = 0; begin < storable.length; begin += lookupsAtOnce) {
      const batch = storable.slice(begin, begin + lookupsAtOnce);
      const items = await Promise.all(batch.map((room) => this.#needs.rooms.get(room)));
      for (const item of items) if (item) stored.add(item.id);
    }
    return stored;
  }

  *#live(prefix: string): Generator<RoomName> {
    for (const room of this.#needs.totals().keys()) if (room.startsWith(prefix)) yield room;
  }

  /** Live rooms that may be missing from the store. */
  *#beyondStore(prefix: string): Generator<RoomName> {
    const { isStorePartial } = this.#needs;
    for (const room of this.#live(prefix)) if (isStorePartial || !isStorable(room)) yield room;
  }

  *#ranked(rooms: Iterable<RoomName>, isWanted: (room: Ranked) => boolean): Generator<Ranked> {
    const totals = this.#needs.totals();
    for (const room of rooms) {
      const ranked = { room, key: keyOf(room), connections: totals.get(room) ?? 0 };
      if (isWanted(ranked)) yield ranked;
    }
  }

  /** Summaries that all use the counts of one moment. */
  #summaries(
    rooms: readonly (readonly [RoomName, StoredRoom?])[],
  ): Pick<RoomListPage, 'rooms' | 'isComplete'> {
    const counts = this.#needs.counts();
    return {
      rooms: rooms.map(([room, item]) => this.#summary(counts, room, item)),
      isComplete: counts.isComplete,
    };
  }

  #summary(
    counts: ReturnType<ListedCounts['counts']>,
    room: RoomName,
    item?: StoredRoom,
  ): RoomSummary {
    const connections = counts.of(room);
    const { isGone, isStorePartial } = this.#needs;
    const stored = item?.addresses.filter((address) => !isGone(address)).length ?? 0;
    // If no server writes to the store, an item without addresses tells nothing.
    const isByStore = stored > 0 || (item !== undefined && !isStorePartial);
    const servers = isByStore ? stored : counts.serversOf(room);
    return {
      id: room,
      name: room,
      ...roomDates(item, this.#needs.roomSeen(room)),
      bytes: item?.bytes ?? null,
      active: Number(servers) > 0 || Number(connections) > 0,
      connections,
      complete: counts.isCompleteFor(room),
      servers,
    };
  }
}

/** The sort key of a room: its name, or a shorter form that fits into a cursor. */
function keyOf(room: RoomName): string {
  if (room.length <= maxKeyChars) return room;
  const digest = createHash('sha256').update(Buffer.from(room, 'utf16le')).digest('hex');
  return room.slice(0, maxKeyChars) + digest;
}

function byKey(a: { key: string }, b: { key: string }): number {
  if (a.key === b.key) return 0;
  return a.key < b.key ? -1 : 1;
}

function byConnections(a: Omit<Ranked, 'room'>, b: Omit<Ranked, 'room'>): number {
  return b.connections - a.connections || byKey(a, b);
}

/** Cuts a page; `last` is its last item if more items follow. */
function cut<Item>(items: Item[], size: number): { page: Item[]; last: Item | undefined } {
  const page = items.slice(0, size);
  return { page, last: items.length > size ? page.at(-1) : undefined };
}

function next(cursor: RoomListCursor): Pick<RoomListPage, 'cursor'> {
  return { cursor: writeCursor(cursor) };
}

function fresh<Value>(value: Value): Fresh<Value> {
  return { value, ageSeconds: 0, isStale: false };
}
