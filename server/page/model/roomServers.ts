import { signal } from '@preact/signals';
import type { RoomCounts } from '../../wire/roomCounts.js';
import { ApiFailure, getJson } from '../api.js';
import { BoundedMap } from './boundedMap.js';
import { encodedName } from './roomNames.js';

/** Connections of a room by server, most connections first; null: no server reports. */
export type Distribution = RoomCounts['servers'];

/** Limits of one request. The service accepts 16 kB of request head. */
const maxRooms = 200;
const maxQueryLength = 6000;
const maxKept = 2000;

const known = new BoundedMap<string, Distribution>(maxKept);
/** Grows when a distribution has changed. */
export const distributionsVersion = signal(0);

/** The connections of a room by server; undefined: not requested yet. */
export const distributionOf = (room: string): Distribution | undefined => known.get(room);

/** Requests the distributions of these rooms. The next call repeats failed requests. */
export async function askDistributions(rooms: readonly string[]): Promise<void> {
  for (const query of roomQueries(rooms)) {
    const counts = await getJson<RoomCounts[]>(`api/counts?${query}`).catch(noneIfRefused);
    for (const { room, servers } of counts) known.set(room, servers);
  }
  distributionsVersion.value += 1;
}

/** The queries that name these rooms, as few as fit. Leaves out names that are too long for a URL. */
export function roomQueries(rooms: readonly string[]): string[] {
  const queries: string[][] = [];
  let length = maxQueryLength;
  for (const room of rooms) {
    const part = `room=${encodedName(room)}`;
    if (part.length > maxQueryLength) continue;
    const last = queries.at(-1);
    length += part.length + 1;
    if (last && length <= maxQueryLength && last.length < maxRooms) last.push(part);
    else {
      queries.push([part]);
      length = part.length;
    }
  }
  return queries.map((parts) => parts.join('&'));
}

/** No answers, if the service refuses to give them: for `catch`. */
export function noneIfRefused(error: unknown): never[] {
  if (error instanceof ApiFailure) return [];
  throw error;
}
