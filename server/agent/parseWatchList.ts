import { isHttpUrl, parseJson } from './parseActivation.js';
import type { WatchList } from './watchedRooms.js';

const maxRooms = 1_000;

/** Reads the body of `PUT /api/dashboard/rooms`. Returns undefined for anything else. */
export function parseWatchList(text: string): WatchList | undefined {
  const { rooms, eventsUrl } = Object(parseJson(text)) as Record<string, unknown>;
  if (!Array.isArray(rooms) || rooms.length > maxRooms) return undefined;
  if (!rooms.every((room) => typeof room === 'string')) return undefined;
  if (eventsUrl !== undefined && !isHttpUrl(eventsUrl)) return undefined;
  return { rooms: new Set(rooms), eventsUrl };
}
