import type Router from '@koa/router';
import type { RoomName } from '../../../machines/ports.js';
import type { RoomCounts } from '../../wire/roomCounts.js';
import { roomsParameter } from './query.js';

/** What the counts of rooms need. */
export interface CountNeeds {
  countsOf: (room: RoomName) => RoomCounts;
}

/** `GET /api/counts?room=<name>&room=...`: the connections of these rooms by server, in the same order. */
export function countRoutes(router: Router, needs: CountNeeds): void {
  router.get('/api/counts', (ctx) => {
    ctx.body = roomsParameter(ctx).map((room) => needs.countsOf(room));
  });
}
