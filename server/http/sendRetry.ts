import type { Context } from 'koa';
import { retryFrame } from '../sse/frames.js';
import { type Answerer, retryMs } from '../sse/retry.js';

/** An EventSource never retries after an error status. So it gets a stream that only says when to retry. */
export function sendRetry(ctx: Context, answerer: Answerer): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.type = 'text/event-stream';
  ctx.body = retryFrame(retryMs(answerer));
}
