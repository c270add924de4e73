import type Router from '@koa/router';
import { apiError } from '../errors.js';

/** `GET /health`: the process is alive. `GET /ready`: it takes viewers; 503 while it shuts down. */
export function healthRoutes(router: Router, needs: { isDraining: () => boolean }): void {
  router
    .get('/health', (ctx) => {
      ctx.body = { status: 'ok' };
    })
    .get('/ready', (ctx) => {
      if (needs.isDraining()) throw apiError('draining');
      ctx.body = { status: 'ready' };
    });
}
