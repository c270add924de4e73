import type Router from '@koa/router';
import type { Middleware } from 'koa';
import type { Feed, StreamKind } from '../../fleet/feed.js';
import { apiError } from '../errors.js';
import { type Admission, admitViewer } from '../guards/admission.js';

/** What the event streams need of the rest of the service. */
export interface StreamNeeds extends Admission {
  feed: Feed;
  viewerConnected: () => void;
  viewerDisconnected: () => void;
}

/** `GET /api/events`: the live counts, as the whole map or, with `?stream=changes`, as what changed. */
export function streamRoutes(router: Router, authenticate: Middleware, needs: StreamNeeds): void {
  router.get('/api/events', authenticate, (ctx) => {
    const kind = kindOf(ctx.query.stream);
    const viewer = admitViewer(ctx, needs);
    if (!viewer) return;
    needs.feed.add(viewer, kind, ctx.get('Last-Event-ID'));
    // The machine hears of the viewer when its headers and first frame are on their way.
    const connecting = setImmediate(() => {
      isConnected = true;
      needs.viewerConnected();
    });
    let isConnected = false;
    viewer.onGone(() => {
      needs.feed.remove(viewer);
      clearImmediate(connecting);
      if (isConnected) needs.viewerDisconnected();
    });
  });
}

function kindOf(stream: string | string[] | undefined): StreamKind {
  if (stream === undefined || stream === 'rooms') return 'rooms';
  if (stream === 'changes') return 'changes';
  throw apiError('invalid_parameter', '"stream" is "rooms" or "changes"');
}
