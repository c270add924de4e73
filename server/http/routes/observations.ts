import type Router from '@koa/router';
import type { Middleware } from 'koa';
import type { ObservationsReport } from '../../wire/observationsReport.js';

/** What the route about observations needs of the rest of the service. */
export interface ObservationNeeds {
  observations: () => ObservationsReport;
}

/** `GET /api/observations`: what the service has seen itself, and when it has not looked. */
export function observationRoutes(
  router: Router,
  authenticate: Middleware,
  needs: ObservationNeeds,
): void {
  router.get('/api/observations', authenticate, (ctx) => {
    ctx.body = needs.observations();
  });
}
