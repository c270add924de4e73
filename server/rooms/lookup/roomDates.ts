import type { SeenRoom } from '../../observations/seenRooms.js';
import type { StoredRoom } from '../../store/store.js';

/** When a room was created and last changed, in ISO 8601; null: unknown. */
export interface RoomDates {
  createdAt: string | null;
  updatedAt: string | null;
  /**
   * True if the store has no dates. They then tell when this service first and last saw a connection in the room,
   * in the last 48 hours.
   */
  observed: boolean;
}

/** The dates in the store; without any, when the service saw the room. */
export function roomDates(item: StoredRoom | undefined, seen: SeenRoom | undefined): RoomDates {
  const { createdAt = null, updatedAt = null } = item ?? {};
  if (createdAt !== null || updatedAt !== null || !seen)
    return { createdAt, updatedAt, observed: false };
  const iso = (ms: number) => new Date(ms).toISOString();
  return { createdAt: iso(seen.firstMs), updatedAt: iso(seen.lastMs), observed: true };
}
