import type { Context } from 'koa';
import { apiError } from '../http/errors.js';
import { retryFrame } from '../sse/frames.js';
import { Viewer } from '../sse/viewer.js';

/** Whether another event stream may be opened. */
export interface Admission {
  maxViewers: number;
  /** Event streams that are open, of every kind. */
  viewers: () => number;
  isDraining: () => boolean;
}

/** Why a viewer is not let in. */
type Refusal = 'draining' | 'too_many_viewers';

/** When a client that was not let in is to try again. */
const retryMs = 15_000;

/**
 * The viewer of a new event stream; undefined: there is none, and the request is answered. `isFull`:
 * this kind of stream takes no more, whatever the others do.
 */
export function admitViewer(ctx: Context, needs: Admission, isFull = false): Viewer | undefined {
  const refusal = refusalOf(needs) ?? (isFull ? 'too_many_viewers' : undefined);
  if (refusal) {
    refuse(ctx, refusal);
  } else if (ctx.method === 'HEAD') {
    ctx.status = 200;
    ctx.type = 'text/event-stream';
  } else {
    return new Viewer(ctx);
  }
  return undefined;
}

/** Undefined: one more viewer is welcome. */
function refusalOf({ maxViewers, viewers, isDraining }: Admission): Refusal | undefined {
  if (isDraining()) return 'draining';
  return viewers() >= maxViewers ? 'too_many_viewers' : undefined;
}

/** An EventSource that meets an error status never comes back: it is told when to try again instead. */
function refuse(ctx: Context, refusal: Refusal): void {
  if (!ctx.accepts('text/event-stream')) throw apiError(refusal);
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/event-stream';
  ctx.body = retryFrame(retryMs);
}
