import type Router from '@koa/router';
import type { UpdatesFeed } from '../../rooms/watching/updatesFeed.js';
import type { Admission } from '../guards/admission.js';
import { requireContent } from '../requireContent.js';
import { parameter, wordParameter } from './query.js';

/**
 * `GET /api/updates`: an entry for each update of each document; with `?as=updates` also the update. `feed` is
 * undefined if content is hidden.
 */
export function updateRoutes(
  router: Router,
  feed: UpdatesFeed | undefined,
  admission: Admission,
): void {
  router.get('/api/updates', (ctx) => {
    const updates = requireContent(feed);
    const as = wordParameter(ctx, 'as', ['log', 'updates']);
    const prefix = parameter(ctx, 'prefix') ?? '';
    const viewer = admission.admit(ctx, 'updates', updates.isFullFor(prefix));
    if (!viewer) return;
    updates.add(viewer, { prefix, as });
    viewer.onGone(() => updates.remove(viewer));
  });
}
