/** Answer of `GET /api/servers/rooms`. */
export interface ServerRooms {
  server: string;
  /** Connections of each room that has any on this server; null: it has not reported, or is not known. */
  rooms: Record<string, number> | null;
}
