import { createHash, timingSafeEqual } from 'node:crypto';
import type { Middleware } from 'koa';
import { apiError } from './errors.js';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Asks viewers for the bearer token (RFC 6750); without a token configured, lets everybody in. */
export function requireToken(token: string | undefined): Middleware {
  if (token === undefined) return (_ctx, next) => next();
  const expected = digest(token);
  return (ctx, next) => {
    const [, given] = /^Bearer +(\S+)$/i.exec(ctx.get('Authorization')) ?? [];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return next();
    ctx.set('WWW-Authenticate', 'Bearer');
    throw apiError('unauthorized');
  };
}
