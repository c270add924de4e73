import type { RoomName } from '../../machines/ports.js';

/** The counts of rooms as JSON, by hand: an object would lose the room `__proto__`. */
export function countsJson(counts: readonly (readonly [RoomName, number])[]): string {
  return `{${counts.map(([room, count]) => `${JSON.stringify(room)}:${count}`).join(',')}}`;
}
