import type Router from '@koa/router';
import type { Middleware } from 'koa';
import type { UpdatesFeed } from '../rooms/updatesFeed.js';
import { Viewer } from '../sse/viewer.js';
import { type Admission, refusalOf, refuseStream } from './admission.js';
import { parameter, wordParameter } from './query.js';

/** What the stream of all updates needs of the rest of the service. */
export interface UpdateNeeds extends Admission {
  updates: UpdatesFeed;
}

/** `GET /api/updates`: an entry for each update of each document, with `?as=updates` the updates too. */
export function updateRoutes(router: Router, authenticate: Middleware, needs: UpdateNeeds): void {
  router.get('/api/updates', authenticate, (ctx) => {
    const as = wordParameter(ctx, 'as', ['log', 'updates']);
    const prefix = parameter(ctx, 'prefix') ?? '';
    const refusal = refusalOf(needs) ?? (needs.updates.isFull ? 'too_many_viewers' : undefined);
    if (refusal) {
      refuseStream(ctx, refusal);
      return;
    }
    if (ctx.method === 'HEAD') {
      ctx.status = 200;
      ctx.type = 'text/event-stream';
      return;
    }
    const viewer = new Viewer(ctx);
    needs.updates.add(viewer, { prefix, as });
    viewer.onGone(() => needs.updates.remove(viewer));
  });
}
