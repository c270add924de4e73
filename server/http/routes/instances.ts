import type Router from '@koa/router';
import type { InstanceView } from '../../wire/instanceView.js';

/** `GET /api/instances`: the instances of this service, and which one leads. */
export function instanceRoutes(router: Router, instances: () => InstanceView[]): void {
  router.get('/api/instances', (ctx) => {
    ctx.body = instances();
  });
}
