import { compareNatural } from '../model/naturalOrder.js';
import { decodedName } from '../model/roomNames.js';
import type { Known } from '../model/whatIsKnown.js';

/** A room with connections on one server. */
export interface RoomOfServer {
  readonly name: string;
  /** Connections on this server. */
  readonly here: number;
  /** Connections on all servers. */
  readonly all: number;
}

/**
 * How many rooms a list has that was answered at `atMs`, beside what the rest of the page shows. The two are told
 * apart by their times, or are of the same moment.
 */
export function listedNumber(listed: number, atMs: number | undefined, counted: Known): Known {
  if (counted.is !== 'unknown' && counted.value === listed) return counted;
  return atMs === undefined ? { is: 'unknown' } : { is: 'past', value: listed, atMs };
}

/** What the rooms of a server are sorted by. */
export type RoomOrder = 'here' | 'all' | 'name';

/** Reads an order from the query of the address; the default is the number of connections here. */
export const roomOrder = (text: string | null): RoomOrder =>
  text === 'name' || text === 'all' ? text : 'here';

/**
 * The rooms of a server that match a search, in order: most connections first, or by decoded name.
 * `allOf`: connections of a room on all servers, as the page counts them; undefined: not known there.
 */
export function roomsOfServer(
  rooms: Readonly<Record<string, number>>,
  allOf: (room: string) => number | undefined,
  { search, order }: { search: string; order: RoomOrder },
): RoomOfServer[] {
  const wanted = search.trim().toLowerCase();
  const rows = Object.entries(rooms)
    .map(([name, here]) => ({
      name,
      here,
      // The answer and the stream are of different moments.
      all: Math.max(here, allOf(name) ?? here),
      shown: decodedName(name),
    }))
    .filter(({ name, shown }) => `${shown}\n${name}`.toLowerCase().includes(wanted));
  return rows.sort(
    (a, b) =>
      (order === 'name' ? 0 : b[order] - a[order]) ||
      compareNatural(a.shown, b.shown) ||
      compareNatural(a.name, b.name),
  );
}
