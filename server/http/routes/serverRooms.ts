import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type Router from '@koa/router';
import type { RoomName, ServerId } from '../../../machines/ports.js';
import { countsJson } from '../../fleet/countsJson.js';
import { serverParameter } from './query.js';

/** Rooms encoded in one turn of the event loop. A server may have 100,000. */
const roomsAtOnce = 5000;

/** Connections of each room on a server at one moment; null: it has not reported, or is not known. */
export type RoomsOnServer = (server: ServerId) => (readonly [RoomName, number])[] | null;

/** `GET /api/servers/rooms?server=<id>`: the rooms of a server, in no order. */
export function serverRoomRoutes(router: Router, needs: { roomsOn: RoomsOnServer }): void {
  router.get('/api/servers/rooms', (ctx) => {
    const server = serverParameter(ctx);
    const rooms = needs.roomsOn(server);
    ctx.type = 'application/json';
    ctx.body = Readable.from(json(server, rooms));
  });
}

async function* json(server: string, rooms: ReturnType<RoomsOnServer>): AsyncGenerator<string> {
  const head = `{"server":${JSON.stringify(server)},"rooms":`;
  if (!rooms) {
    yield `${head}null}`;
    return;
  }
  yield `${head}{`;
  for (let from = 0; from < rooms.length; from += roomsAtOnce) {
    const part = countsJson(rooms.slice(from, from + roomsAtOnce)).slice(1, -1);
    yield from === 0 ? part : `,${part}`;
    await nextTurn();
  }
  yield '}}';
}
