import type Router from '@koa/router';
import type { Middleware } from 'koa';
import type { Machines } from '../../inspection/machines.js';
import { apiError } from '../errors.js';
import { numberParameter, parameter } from './query.js';

/** What the routes about the statecharts need of the rest of the service. */
export interface MachineNeeds {
  machines: Machines;
}

/** `GET /api/machines`: every statechart and its states; `GET /api/machines/<id>`: one, with its actors. */
export function machineRoutes(router: Router, authenticate: Middleware, needs: MachineNeeds): void {
  router
    .get('/api/machines', authenticate, (ctx) => {
      ctx.body = needs.machines.summaries();
    })
    .get('/api/machines/:id', authenticate, (ctx) => {
      const limit = numberParameter(ctx, 'limit', { min: 1, max: 1000, otherwise: 100 });
      const query = { limit, after: parameter(ctx, 'after'), search: parameter(ctx, 'search') };
      const view = needs.machines.view(ctx.params.id ?? '', query);
      if (!view) throw apiError('not_found', `the machines are ${needs.machines.ids.join(', ')}`);
      ctx.body = view;
    });
}
