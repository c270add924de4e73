import type Router from '@koa/router';
import type { Middleware } from 'koa';
import type { ServerView } from '../../wire/serverView.js';
import type { ServiceState, StateReport } from '../../wire/serviceState.js';
import type { SourceReport } from '../../wire/sourceReport.js';

/** What the routes about the fleet need of the rest of the service. */
export interface FleetNeeds {
  servers: () => ServerView[];
  state: () => ServiceState;
  /** How the sources of discovery are doing. */
  discovery: () => SourceReport[];
}

/** `GET /api/servers`, with the failing sources of discovery in a header, and `GET /api/state`. */
export function fleetRoutes(router: Router, authenticate: Middleware, needs: FleetNeeds): void {
  router
    .get('/api/servers', authenticate, (ctx) => {
      const failed = needs.discovery().filter(({ error }) => error !== null);
      // The body is an array of servers and nothing else: what is to be known of it is in headers.
      if (failed.length > 0)
        ctx.set('X-Discovery-Failed', failed.map(({ name }) => name).join(', '));
      ctx.body = needs.servers();
    })
    .get('/api/state', authenticate, (ctx) => {
      const report: StateReport = { ...needs.state(), discovery: needs.discovery() };
      ctx.body = report;
    });
}
