import type Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { apiError } from '../errors.js';
import type { Feed, StreamKind } from '../sse/feed.js';
import { retryFrame } from '../sse/frames.js';
import { Viewer } from '../sse/viewer.js';

/** What the event streams need of the rest of the service. */
export interface StreamNeeds {
  feed: Feed;
  maxViewers: number;
  isDraining: () => boolean;
  viewerConnected: () => void;
  viewerDisconnected: () => void;
}

/** When a client that was not let in is to try again. */
const retryMs = 15_000;

/** `GET /api/events`: the live counts, as the whole map or, with `?stream=changes`, as what changed. */
export function streamRoutes(router: Router, authenticate: Middleware, needs: StreamNeeds): void {
  router.get('/api/events', authenticate, (ctx) => {
    const kind = kindOf(ctx.query.stream);
    if (needs.isDraining()) return refuse(ctx, 'draining');
    if (needs.feed.viewers >= needs.maxViewers) return refuse(ctx, 'too_many_viewers');
    if (ctx.method === 'HEAD') {
      ctx.status = 200;
      ctx.type = 'text/event-stream';
      return;
    }
    const viewer = new Viewer(ctx);
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

/** An EventSource that meets an error status never comes back: it is told when to try again instead. */
function refuse(ctx: Context, code: 'draining' | 'too_many_viewers'): void {
  if (!ctx.accepts('text/event-stream')) throw apiError(code);
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/event-stream';
  ctx.body = retryFrame(retryMs);
}
