import type { ServerRooms } from '../../wire/serverRooms.js';

/** Connections of each room on one server, by raw name. */
export type RoomsOnServer = ReadonlyMap<string, number>;

/** The path that answers the rooms of a server (`ServerRooms`). */
export const serverRoomsPath = (id: string) => `api/servers/rooms?server=${encodeURIComponent(id)}`;

/** The rooms of an answer; null: the server has not reported, or is not known. */
export function roomsOnServer({ rooms }: ServerRooms): RoomsOnServer | null {
  return rooms && new Map(Object.entries(rooms));
}
