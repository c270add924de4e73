import type Router from '@koa/router';
import type { ActivityEvent } from '../../wire/activityEvent.js';
import { apiError } from '../errors.js';
import { parameter } from './query.js';

const idShape = /^\d{1,16}-[0-9a-f]{1,16}$/;

/** `GET /api/activity?after=<id>`: the last events, oldest first. Without `after`, all that are kept. */
export function activityRoutes(
  router: Router,
  eventsSince: (id: string | undefined) => ActivityEvent[],
): void {
  router.get('/api/activity', (ctx) => {
    const after = parameter(ctx, 'after');
    if (after !== undefined && !idShape.test(after))
      throw apiError('invalid_parameter', '"after" must be the id of an event');
    ctx.body = eventsSince(after);
  });
}
