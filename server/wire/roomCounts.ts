import type { RoomName, ServerId } from '../../machines/ports.js';

/** Connections of a room, and on which servers they are, most first. */
export interface RoomCounts {
  room: RoomName;
  /** Null: unknown. */
  connections: number | null;
  /** Whether every known server is in the numbers. */
  complete: boolean;
  /** Null: no server reports. */
  servers: { id: ServerId; connections: number }[] | null;
}
