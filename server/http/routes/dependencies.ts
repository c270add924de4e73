import type Router from '@koa/router';
import type { DependencyReport } from '../../wire/dependencyReport.js';

/** `GET /api/dependencies`: what this instance uses outside itself. Also answered while nobody leads. */
export function dependencyRoutes(router: Router, dependencies: () => DependencyReport[]): void {
  router.get('/api/dependencies', (ctx) => {
    ctx.body = dependencies();
  });
}
