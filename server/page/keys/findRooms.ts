import { type Room, textOf } from '../model/room.js';
import { bestMatches, wordsOf } from './matching.js';

/** Among so many that contain the words, the best ones are chosen. The busiest are found first. */
const maxCandidates = 200;
/** A key press must not be felt. */
const maxMs = 12;
const roomsBetweenLooks = 512;

/** Rooms whose shown or raw name has every word that was typed. `rooms` are the busiest first. */
export function findRooms(
  rooms: readonly Room[],
  typed: string,
  count: number,
  now = () => performance.now(),
): Room[] {
  const words = wordsOf(typed);
  if (words.length === 0) return [];
  const found: Room[] = [];
  const untilMs = now() + maxMs;
  for (const [i, room] of rooms.entries()) {
    if (i % roomsBetweenLooks === 0 && now() > untilMs) break;
    const text = textOf(room);
    if (words.every((word) => text.includes(word))) found.push(room);
    if (found.length === maxCandidates) break;
  }
  return bestMatches(found, typed, { textOf, count });
}
