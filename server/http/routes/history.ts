import type Router from '@koa/router';
import type { Context } from 'koa';
import type { RoomName } from '../../../machines/ports.js';
import type { FleetHistory, RoomHistory, ServerHistory } from '../../wire/historyReport.js';
import { apiError } from '../errors.js';
import { parameter, roomsParameter, wordParameter } from './query.js';

/** What the route about the recent past needs. */
export interface HistoryRouteNeeds {
  ofFleet: (step: 1 | 30) => FleetHistory;
  ofServer: (server: string, step: 1 | 30) => ServerHistory;
  ofRoom: (room: RoomName) => RoomHistory;
  ofRoomInDetail: (room: RoomName) => RoomHistory;
}

/**
 * `GET /api/history?step=1|30`: the numbers of the fleet, of a `server`, or of a `room`.
 * `GET /api/history/rooms?room=<name>&room=...`: the numbers of these rooms, in the same order.
 */
export function historyRoutes(router: Router, history: HistoryRouteNeeds): void {
  router.get('/api/history', (ctx) => {
    const [server, room] = [parameter(ctx, 'server'), parameter(ctx, 'room')];
    if (server !== undefined && room !== undefined)
      throw apiError('invalid_parameter', 'give "server" or "room", not both');
    if (room !== undefined) {
      wordParameter(ctx, 'step', ['30']);
      ctx.body = history.ofRoomInDetail(room);
    } else {
      const step = stepOf(ctx);
      ctx.body = server === undefined ? history.ofFleet(step) : history.ofServer(server, step);
    }
  });
  router.get('/api/history/rooms', (ctx) => {
    ctx.body = roomsParameter(ctx).map((room) => history.ofRoom(room));
  });
}

const stepOf = (ctx: Context) => (wordParameter(ctx, 'step', ['1', '30']) === '1' ? 1 : 30);
