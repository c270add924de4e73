import { byName, byRank, newRoom, type Room } from '../model/room.js';
import { passes } from '../model/roomFilter.js';
import type { ListSettings } from './listSettings.js';

/**
 * Rooms that are listed for another reason than their connections: those that pass the search and the prefix, sorted.
 * For some thousands at most.
 */
export function otherRooms(
  names: Iterable<string>,
  connectionsOf: (name: string) => number,
  { query, prefix, order }: Pick<ListSettings, 'query' | 'prefix' | 'order'>,
): Room[] {
  const filter = { query: query.trim().toLowerCase(), prefix, only: undefined };
  const rooms = Array.from(names, (name) => ({
    ...newRoom(name),
    connections: connectionsOf(name),
  }));
  return rooms.filter((room) => passes(room, filter)).sort(order === 'name' ? byName : byRank);
}
