import type Router from '@koa/router';
import type { ServerId } from '../../../machines/ports.js';
import type { ServerRequests } from '../../wire/serverRequests.js';
import { serverParameter } from './query.js';

/** What the route about requests to a server needs. */
export interface ServerRequestNeeds {
  requestsTo: (server: ServerId) => ServerRequests;
}

/** `GET /api/servers/requests?server=<id>`: the last requests to a server, and how long they took. */
export function serverRequestRoutes(router: Router, { requestsTo }: ServerRequestNeeds): void {
  router.get('/api/servers/requests', (ctx) => {
    ctx.body = requestsTo(serverParameter(ctx));
  });
}
