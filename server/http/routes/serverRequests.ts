import type Router from '@koa/router';
import type { ServerId } from '../../../machines/ports.js';
import type { ServerRequests } from '../../wire/serverRequests.js';
import { apiError } from '../errors.js';
import { parameter } from './query.js';

/** What the route about requests to a server needs. */
export interface ServerRequestNeeds {
  requestsTo: (server: ServerId) => ServerRequests;
}

/** `GET /api/servers/requests?server=<id>`: the last requests to a server, and how long they took. */
export function serverRequestRoutes(router: Router, { requestsTo }: ServerRequestNeeds): void {
  router.get('/api/servers/requests', (ctx) => {
    const server = parameter(ctx, 'server');
    if (server === undefined)
      throw apiError('invalid_parameter', '"server" must be the id of a server');
    ctx.body = requestsTo(server as ServerId);
  });
}
