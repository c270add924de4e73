import type { RoomCounts } from '../../wire/roomCounts.js';
import { isCurrent } from '../model/fleet.js';
import { encodedName } from '../model/roomNames.js';
import { type Polled, usePolled } from '../usePolled.js';

const countsMs = 1000;

/** Polls the connections of a room. While the page has no numbers of now, it keeps those of before. */
export function useRoomCounts(name: string): Polled<RoomCounts[]> {
  const path = `api/counts?room=${encodedName(name)}`;
  const [counts] = usePolled<RoomCounts[]>(isCurrent.value ? path : undefined, countsMs);
  return counts;
}
