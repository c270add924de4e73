import type Router from '@koa/router';
import type { Machines } from '../../inspection/machines.js';
import { apiError } from '../errors.js';
import { numberParameter, parameter } from './query.js';

/** `GET /api/machines`: all statecharts; `GET /api/machines/<id>`: one of them with its actors. */
export function machineRoutes(router: Router, machines: Machines): void {
  router
    .get('/api/machines', (ctx) => {
      ctx.body = machines.summaries();
    })
    .get('/api/machines/:id', (ctx) => {
      const limit = numberParameter(ctx, 'limit', { min: 1, max: 1000, otherwise: 100 });
      const query = { limit, after: parameter(ctx, 'after'), search: parameter(ctx, 'search') };
      const view = machines.view(ctx.params.id ?? '', query);
      if (!view) throw apiError('not_found', `the machines are ${machines.ids.join(', ')}`);
      ctx.body = view;
    });
}
