declare module 'koa-sse-stream/lib/sse.js' {
  import type { Transform } from 'node:stream';
  import type { Context } from 'koa';

  /** The stream class of koa-sse-stream 0.2.0: sets the headers of `ctx` and sends a first comment. */
  export default class SSETransform extends Transform {
    constructor(ctx: Context, options?: { closeEvent?: string });
  }
}
