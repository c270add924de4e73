import type { Context } from 'koa';
import { apiError } from '../errors.js';
import { retryFrame } from '../sse/frames.js';

/** Whether another event stream may be opened. */
export interface Admission {
  maxViewers: number;
  /** Event streams that are open, of every kind. */
  viewers: () => number;
  isDraining: () => boolean;
}

/** Why a viewer is not let in. */
export type Refusal = 'draining' | 'too_many_viewers';

/** When a client that was not let in is to try again. */
const retryMs = 15_000;

/** Undefined: one more viewer is welcome. */
export function refusalOf({ maxViewers, viewers, isDraining }: Admission): Refusal | undefined {
  if (isDraining()) return 'draining';
  return viewers() >= maxViewers ? 'too_many_viewers' : undefined;
}

/** An EventSource that meets an error status never comes back: it is told when to try again instead. */
export function refuseStream(ctx: Context, refusal: Refusal): void {
  if (!ctx.accepts('text/event-stream')) throw apiError(refusal);
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/event-stream';
  ctx.body = retryFrame(retryMs);
}
