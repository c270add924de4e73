import type Router from '@koa/router';
import type { OtherInstances } from '../../cluster/otherInstances.js';
import type { RoomWatches } from '../../rooms/watching/roomWatches.js';
import type { WatchedRoom } from '../../wire/watchedRoom.js';
import { senderOf } from '../auth/instances.js';
import { requireContent } from '../requireContent.js';

const path = '/api/watched';

/**
 * `GET /api/watched`: the rooms that somebody watches, on any instance, and what is wrong with them. `watches` is
 * undefined if content is hidden; `others` without a cluster.
 */
export function watchedRoomRoutes(
  router: Router,
  watches: RoomWatches | undefined,
  others: OtherInstances | undefined,
): void {
  router.get(path, async (ctx) => {
    const own = requireContent(watches).list();
    // An instance that asks wants to know what is watched here.
    const isInstance = senderOf(ctx) !== undefined;
    const elsewhere = isInstance || !others ? [] : await others.ask<WatchedRoom[]>(path);
    ctx.body = joined([own, ...elsewhere]);
  });
}

/** One entry for each room. Instances may know different things about it. */
function joined(lists: readonly (readonly WatchedRoom[])[]): WatchedRoom[] {
  const rooms = new Map<string, WatchedRoom>();
  for (const room of lists.flat()) {
    const known = rooms.get(room.room);
    rooms.set(room.room, known ? both(known, room) : room);
  }
  return [...rooms.values()];
}

function both(one: WatchedRoom, other: WatchedRoom): WatchedRoom {
  const union = (key: 'diverged' | 'unreadable' | 'waitingFor') => [
    ...new Set([...one[key], ...other[key]]),
  ];
  return {
    ...one,
    viewers: one.viewers + other.viewers,
    diverged: union('diverged'),
    unreadable: union('unreadable'),
    waitingFor: union('waitingFor'),
  };
}
