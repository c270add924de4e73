/** Connections of a room, in all and by server. Answer of `GET /api/counts`, one for each room. */
export interface RoomCounts {
  room: string;
  /** Null: unknown. */
  connections: number | null;
  /** Whether the numbers include every known server. */
  complete: boolean;
  /** Most connections first; null: no server reports. */
  servers: { id: string; connections: number }[] | null;
}
