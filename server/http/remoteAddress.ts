import type { Context } from 'koa';
import { normalizeAddress } from '../addresses.js';

/** The address at the other end of the connection, normalized; headers are not believed. */
export function remoteAddress(ctx: Context): string {
  return normalizeAddress(ctx.req.socket.remoteAddress ?? '');
}

/** Whether a proxy passed the request on, so that the address is the proxy's. */
export function isForwarded(ctx: Context): boolean {
  const { headers } = ctx.req;
  return ['x-forwarded-for', 'forwarded', 'via'].some((name) => headers[name] !== undefined);
}
