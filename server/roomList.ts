import type { RoomName } from '../machines/ports.js';
import type { Tally } from '../machines/tally.js';
import { apiError } from './errors.js';
import { type Fresh, LastKnownGood } from './lastKnownGood.js';
import { isStorable, type RoomsTable, type StoredRoom } from './store.js';

/** A room in the list of `GET /api/rooms`; null: not known. */
export interface RoomSummary {
  /** The raw name. */
  id: RoomName;
  name: RoomName;
  createdAt: string | null;
  updatedAt: string | null;
  /** Of the stored document. */
  bytes: number | null;
  /** Whether a server holds it in memory, by the store or the live counts. */
  active: boolean;
  /** Live connections; 0 while the servers report nothing. */
  connections: number;
  /** Servers that hold it, by the store. */
  servers: number;
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
  /** Where the next page begins; undefined: this was the last. */
  cursor?: string;
}

export interface RoomListNeeds {
  rooms: RoomsTable;
  /** Whether the store lacks rooms that pub-sub servers hold because they do not write to it. */
  isStorePartial: boolean;
  tally: () => Tally;
}

/** Items read for one page, at the most, beside those it shows. */
const maxExtraRead = 1000;

/**
 * The rooms of the metadata store, in its order, and after them those that are live but not in it.
 * A page reads a bounded number of items and may come back short, with a cursor.
 */
export class RoomList {
  readonly #needs: RoomListNeeds;
  readonly #known = new LastKnownGood(64);

  constructor(needs: RoomListNeeds) {
    this.#needs = needs;
  }

  async page(query: RoomListQuery): Promise<Fresh<RoomListPage>> {
    const [phase, rest] = readCursor(query);
    if (phase === 'busiest') return fresh(this.#busiest(query, rest));
    if (phase === 'live') return fresh(await this.#liveOnly(query, rest));
    return this.#known.read(JSON.stringify(query), () => this.#stored(query, rest));
  }

  async #stored(query: RoomListQuery, cursor: string): Promise<RoomListPage> {
    const { limit, prefix } = query;
    const maxRead = limit + maxExtraRead;
    const read = await this.#needs.rooms.page({
      limit,
      maxRead,
      ...(prefix && { prefix }),
      ...(cursor && { cursor }),
    });
    const all = read.items.map((item) => this.#summary(item.id, item));
    const rooms = all.filter(({ active }) => active || !query.isActiveOnly);
    if (read.cursor) return { rooms, cursor: writeCursor('stored', read.cursor) };
    return { rooms, ...(this.#hasLiveOnly() && { cursor: writeCursor('live', '') }) };
  }

  /** Live rooms that the store does not have, by name; each page looks up as many as it may show. */
  async #liveOnly({ limit, prefix }: RoomListQuery, after: string): Promise<RoomListPage> {
    const candidates = this.#liveNames()
      .filter((room) => room > after && room.startsWith(prefix))
      .sort()
      .slice(0, limit);
    const rooms: RoomSummary[] = [];
    for (const room of candidates) {
      const isStored = isStorable(room) && (await this.#needs.rooms.get(room)) !== undefined;
      if (!isStored) rooms.push(this.#summary(room));
    }
    const last = candidates.at(-1);
    const isLast = candidates.length < limit || last === undefined;
    return isLast ? { rooms } : { rooms, cursor: writeCursor('live', last) };
  }

  #busiest({ limit, prefix }: RoomListQuery, offset: string): RoomListPage {
    const begin = Number(offset);
    const busiest = [...this.#needs.tally().totals]
      .filter(([room]) => room.startsWith(prefix))
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .slice(begin, begin + limit);
    const rooms = busiest.map(([room]) => this.#summary(room));
    if (busiest.length < limit) return { rooms };
    return { rooms, cursor: writeCursor('busiest', String(begin + limit)) };
  }

  #hasLiveOnly(): boolean {
    return this.#liveNames().length > 0;
  }

  /** Live rooms that may not be in the store. */
  #liveNames(): RoomName[] {
    const names = [...this.#needs.tally().totals.keys()];
    return this.#needs.isStorePartial ? names : names.filter((room) => !isStorable(room));
  }

  #summary(room: RoomName, item?: StoredRoom): RoomSummary {
    const connections = this.#needs.tally().totals.get(room) ?? 0;
    const servers = item?.addresses.length ?? 0;
    return {
      id: room,
      name: room,
      createdAt: item?.createdAt ?? null,
      updatedAt: item?.updatedAt ?? null,
      bytes: item?.bytes ?? null,
      active: servers > 0 || connections > 0,
      connections,
      servers,
    };
  }
}

type Phase = 'stored' | 'live' | 'busiest';

function readCursor({ cursor, sort }: RoomListQuery): [Phase, string] {
  if (cursor === undefined) return sort === 'connections' ? ['busiest', '0'] : ['stored', ''];
  const [, phase, rest] = /^(stored|live|busiest)\.([\w-]*)$/.exec(cursor) ?? [];
  const isBusiest = phase === 'busiest';
  if (phase === undefined || rest === undefined || isBusiest !== (sort === 'connections'))
    throw apiError('invalid_parameter', '"cursor" is not one of this list');
  const text = Buffer.from(rest, 'base64url').toString();
  if (isBusiest && !/^\d{1,9}$/.test(text))
    throw apiError('invalid_parameter', '"cursor" is not one of this list');
  return [phase as Phase, text];
}

function writeCursor(phase: Phase, rest: string): string {
  return `${phase}.${Buffer.from(rest).toString('base64url')}`;
}

function fresh<Value>(value: Value): Fresh<Value> {
  return { value, ageSeconds: 0, isStale: false };
}
