import type { IncomingHttpHeaders } from 'node:http';
import type { Context, Middleware } from 'koa';
import { type Forwarding, NoLeader } from '../cluster/forwarding.js';
import { senderOf } from './auth/instances.js';
import { type ApiError, apiError } from './errors.js';
import { sendRetry } from './sendRetry.js';

/** Headers of a request that change its answer. */
const passedOn = ['accept', 'last-event-id'] as const;
/** Headers of an answer that are about its connection, or that this instance sets itself. */
const ownHeaders =
  /^(connection|keep-alive|transfer-encoding|date|vary|set-cookie|access-control-.*)$/;
const beforePath = /^[a-z][a-z\d+.-]*:\/\/[^/?]*/i;
const retryAfterSeconds = 2;
const eventStream = 'text/event-stream';

/**
 * Any instance can ask the servers for a room; without a leader, those that it remembers. It also knows what happened
 * to itself.
 */
const isAnsweredAnyway = /^\/api\/(?:room$|room\/servers$|rooms\/|activity$)/i;

/**
 * Middleware for routes that the leader answers. Elsewhere, the leader's answer is passed back as it is. Without a
 * leader, this instance answers for a single room and its own activity, and throws `no_leader` for the rest. A
 * question that was passed on once is not passed on again.
 */
export function forwardToLeader(forwarding: Forwarding): Middleware {
  return async (ctx, next) => {
    if (forwarding.isLeading) return next();
    try {
      if (senderOf(ctx) !== undefined) throw new NoLeader('it has just changed');
      await passBack(ctx, forwarding);
    } catch (error) {
      if (!(error instanceof NoLeader)) throw error;
      if (isAnsweredAnyway.test(ctx.path)) return next();
      refuse(ctx, error);
    }
  };
}

async function passBack(ctx: Context, forwarding: Forwarding): Promise<void> {
  const path = (ctx.req.url ?? '').replace(beforePath, '');
  const { status, headers, body } = await forwarding.ask(path, {
    method: ctx.method === 'HEAD' ? 'HEAD' : 'GET',
    headers: headersOf(ctx.req.headers),
  });
  ctx.status = status;
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !ownHeaders.test(name)) ctx.set(name, value);
  // This instance may have added to it already.
  if (headers.vary !== undefined) ctx.vary(headers.vary);
  if (headers['content-type']?.startsWith(eventStream)) endWithConnection(ctx);
  // Koa destroys it when the client leaves. The headers above stay: they describe these bytes.
  ctx.body = body;
}

/** As `Viewer` does: frames need no chunked encoding. */
function endWithConnection(ctx: Context): void {
  ctx.res.useChunkedEncodingByDefault = false;
  ctx.set('Connection', 'close');
}

function headersOf(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    passedOn.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}

function refuse(ctx: Context, { message }: NoLeader): void {
  if (!ctx.get('Accept').includes(eventStream)) throw noLeader(message);
  sendRetry(ctx, 'present');
}

/** The error of a question that only a leader can answer. */
export function noLeader(reason = ''): ApiError {
  return apiError('no_leader', reason === '' ? undefined : reason, retryAfterSeconds);
}
