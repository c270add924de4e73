import type Router from '@koa/router';
import type { Context } from 'koa';
import type { RoomName } from '../../../machines/ports.js';
import type { RoomCounts } from '../../wire/roomCounts.js';
import { apiError } from '../errors.js';

/** What the counts of rooms need. */
export interface CountNeeds {
  countsOf: (room: RoomName) => RoomCounts;
}

/** Each room costs a look-up in every server's counts. */
const maxRooms = 200;

/** `GET /api/counts?room=<name>&room=...`: the connections of these rooms by server, in the same order. */
export function countRoutes(router: Router, needs: CountNeeds): void {
  router.get('/api/counts', (ctx) => {
    ctx.body = roomsOf(ctx).map((room) => needs.countsOf(room));
  });
}

function roomsOf({ query }: Context): RoomName[] {
  const rooms = [query.room ?? []].flat();
  if (rooms.length >= 1 && rooms.length <= maxRooms) return rooms as RoomName[];
  throw apiError('invalid_parameter', `"room" must be given 1 to ${maxRooms} times`);
}
