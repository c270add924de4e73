import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RoomName } from '../../machines/ports.js';

/** Rooms that are looked at in one turn of the event loop. */
const sliceRooms = 5000;

/**
 * The rooms with the most connections, in slices: a fleet may have a million rooms. Undefined: `isWanted` became
 * false meanwhile.
 */
export async function busiestRooms(
  totals: ReadonlyMap<RoomName, number>,
  count: number,
  isWanted: () => boolean,
): Promise<RoomName[] | undefined> {
  let found: [room: RoomName, connections: number][] = [];
  let least = 0;
  let looked = 0;
  const cut = () => {
    found = found.sort(([, one], [, other]) => other - one).slice(0, count);
    least = found.at(-1)?.[1] ?? 0;
  };
  for (const [room, connections] of totals) {
    if (connections > least) found.push([room, connections]);
    if (found.length > 4 * count) cut();
    looked += 1;
    if (looked % sliceRooms !== 0) continue;
    await nextTurn();
    if (!isWanted()) return undefined;
  }
  cut();
  return found.map(([room]) => room);
}
