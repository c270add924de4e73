import type Router from '@koa/router';
import { apiError } from '../errors.js';

/** Whether the service accepts viewers. */
export interface HealthNeeds {
  /** It is shutting down. */
  isDraining: () => boolean;
  /** It has never known a leader of its cluster, so it has nothing to show yet. */
  isStarting: () => boolean;
}

/**
 * `GET /health`: 200 while the process runs. `GET /ready`: 200 while it accepts viewers, 503 while it starts or
 * shuts down. Not without Redis or a leader later: if all instances were not ready, the load balancer would
 * answer 502, and an EventSource never retries after that.
 */
export function healthRoutes(router: Router, { isDraining, isStarting }: HealthNeeds): void {
  router
    .get('/health', (ctx) => {
      ctx.body = { status: 'ok' };
    })
    .get('/ready', (ctx) => {
      if (isDraining()) throw apiError('draining');
      if (isStarting()) throw apiError('no_leader', 'no instance has led since this one started');
      ctx.body = { status: 'ready' };
    });
}
