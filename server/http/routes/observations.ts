import type Router from '@koa/router';
import type { ObservationsReport } from '../../wire/observationsReport.js';

/** `GET /api/observations`: how long the service has observed rooms and connections, with all gaps. */
export function observationRoutes(router: Router, observations: () => ObservationsReport): void {
  router.get('/api/observations', (ctx) => {
    ctx.body = observations();
  });
}
