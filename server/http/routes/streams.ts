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

/** What one stream of live counts needs. */
type CountsNeeds = Omit<StreamNeeds, 'feed'> & { feed: Pick<StreamFeed, 'add' | 'remove'> };

/** `GET /api/events`: the live counts, as the whole map or, with `?stream=changes`, as changes. */
export function streamRoutes(router: Router, needs: StreamNeeds, admission: Admission): void {
  router.get('/api/events', (ctx) => {
    const kind = wordParameter(ctx, 'stream', ['rooms', 'changes']);
    const viewer = admission.admit(ctx, kind);
    if (!viewer) return;
    sendCounts(viewer, needs, { kind, lastEventId: ctx.get('Last-Event-ID') });
  });
}

/** Sends a viewer the counts until it is gone. */
export function sendCounts(
  viewer: Viewer,
  { feed, viewerConnected, viewerDisconnected }: CountsNeeds,
  { kind, lastEventId }: { kind: StreamKind; lastEventId: string },
): void {
  feed.add(viewer, kind, lastEventId);
  // First send the headers and the first frame, then tell the machine.
  const connecting = setImmediate(() => {
    isConnected = true;
    viewerConnected();
  });
  let isConnected = false;
  viewer.onGone(() => {
    feed.remove(viewer);
    clearImmediate(connecting);
    if (isConnected) viewerDisconnected();
  });
}
