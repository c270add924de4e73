import type Router from '@koa/router';
import type { StreamKind } from '../../fleet/feed.js';
import type { Viewer } from '../../sse/viewer.js';
import type { Admission } from '../guards/admission.js';
import { wordParameter } from './query.js';

/** What the streams of live counts need. */
export interface StreamNeeds {
  feed: StreamFeed;
  viewerConnected: () => void;
  viewerDisconnected: () => void;
}

/** Sends the counts to viewers: the feed, or in a cluster the relay. */
export interface StreamFeed {
  add(viewer: Viewer, kind: StreamKind, lastEventId?: string): void;
  remove(viewer: Viewer): void;
  readonly viewers: number;
}

/** `GET /api/events`: the live counts, as the whole map or, with `?stream=changes`, as changes. */
export function streamRoutes(router: Router, needs: StreamNeeds, admission: Admission): void {
  router.get('/api/events', (ctx) => {
    const kind = wordParameter(ctx, 'stream', ['rooms', 'changes']);
    const viewer = admission.admit(ctx);
    if (!viewer) return;
    needs.feed.add(viewer, kind, ctx.get('Last-Event-ID'));
    // First send the headers and the first frame, then tell the machine.
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
