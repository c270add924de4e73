import type { Room } from '../model/roomIndex.js';
import type { RoomsOnServer } from '../model/serverRooms.js';
import { compareRooms } from '../stream/fleetState.js';

/** The rooms by their connections on one server, most first, then by raw name. */
export function sortedByHere(rooms: readonly Room[], here: RoomsOnServer): Room[] {
  const counted = rooms.map((room) => ({ room, count: here.get(room.name) ?? 0 }));
  counted.sort((a, b) => compareRooms(a.count, a.room.name, b.count, b.room.name));
  return counted.map(({ room }) => room);
}
