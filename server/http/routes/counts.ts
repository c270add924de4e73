import type Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { RoomName } from '../../../machines/ports.js';
import type { RoomCounts } from '../../wire/roomCounts.js';
import { apiError } from '../errors.js';

/** What the counts of rooms need of the rest of the service. */
export interface CountNeeds {
  countsOf: (room: RoomName) => RoomCounts;
}

/** Each costs a look at every server. */
const maxRooms = 200;

/** `GET /api/counts?room=<name>&room=...`: where the connections of some rooms are, in the order asked for. */
export function countRoutes(router: Router, authenticate: Middleware, needs: CountNeeds): void {
  router.get('/api/counts', authenticate, (ctx) => {
    ctx.body = roomsOf(ctx).map((room) => needs.countsOf(room));
  });
}

function roomsOf({ query }: Context): RoomName[] {
  const rooms = [query.room ?? []].flat();
  if (rooms.length >= 1 && rooms.length <= maxRooms) return rooms as RoomName[];
  throw apiError('invalid_parameter', `"room" is given 1 to ${maxRooms} times`);
}
