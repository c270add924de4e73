import type { SeenRoom } from '../../observations/seenRooms.js';
import type { StoredRoom } from '../../store/store.js';

/** When a room was created and last changed, as ISO 8601 times; null: not known. */
export interface RoomDates {
  createdAt: string | null;
  updatedAt: string | null;
  /**
   * Whether they are when this service saw the room with a connection, first and last, in the last 48
   * hours: the store says neither, or was not asked.
   */
  observed: boolean;
}

/** What the store says; where it says nothing, what was observed. */
export function roomDates(item: StoredRoom | undefined, seen: SeenRoom | undefined): RoomDates {
  const { createdAt = null, updatedAt = null } = item ?? {};
  if (createdAt !== null || updatedAt !== null || !seen)
    return { createdAt, updatedAt, observed: false };
  const iso = (ms: number) => new Date(ms).toISOString();
  return { createdAt: iso(seen.firstMs), updatedAt: iso(seen.lastMs), observed: true };
}
