import type Router from '@koa/router';
import { apiError } from '../errors.js';

/** `GET /health`: 200 while the process runs. `GET /ready`: 200 while it accepts viewers, 503 while it shuts down. */
export function healthRoutes(router: Router, isDraining: () => boolean): void {
  router
    .get('/health', (ctx) => {
      ctx.body = { status: 'ok' };
    })
    .get('/ready', (ctx) => {
      if (isDraining()) throw apiError('draining');
      ctx.body = { status: 'ready' };
    });
}
