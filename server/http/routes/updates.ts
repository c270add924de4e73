import type Router from '@koa/router';
import type { Middleware } from 'koa';
import type { UpdatesFeed } from '../../rooms/watching/updatesFeed.js';
import { type Admission, admitViewer } from '../guards/admission.js';
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
    const viewer = admitViewer(ctx, needs, needs.updates.isFullFor(prefix));
    if (!viewer) return;
    needs.updates.add(viewer, { prefix, as });
    viewer.onGone(() => needs.updates.remove(viewer));
  });
}
