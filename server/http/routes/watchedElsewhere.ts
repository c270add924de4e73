import type { RoomName } from '../../../machines/ports.js';
import type { OtherInstances } from '../../cluster/otherInstances.js';
import type { RoomLog } from '../../wire/logEntry.js';

/** What another instance knows of a room that is watched there; the longest log. Undefined: none watches it. */
export type WatchedElsewhere = (room: RoomName) => Promise<RoomLog | undefined>;

/** Asks the other instances; `others` is undefined without a cluster. */
export function watchedElsewhere(others: OtherInstances | undefined): WatchedElsewhere {
  return async (room) => {
    if (!others) return undefined;
    const logs = await others.ask<RoomLog>(`/api/room/log?room=${encodeURIComponent(room)}`);
    const watched = logs.filter((log) => log.watched);
    return watched.toSorted((a, b) => b.entries.length - a.entries.length)[0];
  };
}
