import { signal } from '@preact/signals';
import type { RoomHistory } from '../../wire/historyReport.js';
import { getJson } from '../api.js';
import { BoundedMap } from '../model/boundedMap.js';
import { noneIfRefused, roomQueries } from '../model/roomServers.js';
import type { Numbers } from './rows.js';

/** Half minutes of an hour, up to now. */
export const pastLength = 120;
/** The service has a new number every 30 s. */
const freshMs = 30_000;
const maxKept = 2000;

interface Kept {
  readonly numbers: Numbers;
  readonly atMs: number;
}

const known = new BoundedMap<string, Kept>(maxKept);
/** Grows when the past of a room has changed. */
export const roomPastsVersion = signal(0);

/** The connections of a room in the last hour, one for each half minute, up to now; undefined: not asked yet. */
export const roomPast = (room: string): Numbers | undefined => known.get(room)?.numbers;

/** Asks for the past of these rooms, except where it is fresh. A failed request is repeated by the next call. */
export async function askRoomPasts(rooms: readonly string[], nowMs: number): Promise<void> {
  const due = rooms.filter((room) => nowMs - (known.get(room)?.atMs ?? -freshMs) >= freshMs);
  for (const query of roomQueries(due)) {
    const pasts = await getJson<RoomHistory[]>(`api/history/rooms?${query}`).catch(noneIfRefused);
    for (const { room, connections } of pasts)
      known.set(room, { numbers: connections, atMs: nowMs });
  }
  if (due.length > 0) roomPastsVersion.value += 1;
}
