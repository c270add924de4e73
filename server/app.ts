import { randomUUID } from 'node:crypto';
import Router from '@koa/router';
import Koa, { type Context } from 'koa';
import type { Logger } from 'pino';
import { requireToken } from './authentication.js';
import { ApiError, apiError, errorBody } from './errors.js';
import { type CallbackNeeds, callbackRoutes } from './routes/callbacks.js';
import { type FleetNeeds, fleetRoutes } from './routes/fleet.js';
import { healthRoutes } from './routes/health.js';
import { type StartupNeeds, startupRoutes } from './routes/startup.js';
import { type StreamNeeds, streamRoutes } from './routes/streams.js';

/** What the HTTP side needs of the rest of the service. */
export interface AppNeeds extends CallbackNeeds, StartupNeeds, StreamNeeds, FleetNeeds {
  /** The bearer token that viewers must send; undefined: none. */
  viewerToken: string | undefined;
  log: Logger;
}

/** The Koa application with every route; it listens to nothing. */
export function createApp(needs: AppNeeds): Koa {
  const app = new Koa();
  app.on('error', (error) => logUnlessGone(error, needs.log));
  app.use((ctx, next) => answerErrors(ctx, next, needs.log));
  const router = new Router();
  callbackRoutes(router, needs);
  startupRoutes(router, needs);
  healthRoutes(router, needs);
  const authenticate = requireToken(needs.viewerToken);
  streamRoutes(router, authenticate, needs);
  fleetRoutes(router, authenticate, needs);
  app.use(router.routes());
  const refuseMethod = () => apiError('method_not_allowed');
  app.use(
    router.allowedMethods({
      throw: true,
      methodNotAllowed: refuseMethod,
      notImplemented: refuseMethod,
    }),
  );
  return app;
}

/** The one place where errors become answers. */
async function answerErrors(ctx: Context, next: () => Promise<unknown>, log: Logger) {
  const requestId = randomUUID();
  try {
    await next();
    if (ctx.status === 404 && ctx.body === undefined) throw apiError('not_found');
  } catch (error) {
    const known = error instanceof ApiError ? error : apiError('internal');
    if (!(error instanceof ApiError)) log.error({ err: error, requestId }, 'request failed');
    ctx.status = known.status;
    // What is left of a body that was not read would be taken for the next request.
    if (known.status === 413 || known.status === 408) ctx.set('Connection', 'close');
    ctx.body = errorBody(known.code, known.publicMessage, requestId);
  }
}

/** A client that leaves ends its stream early; that is no error. */
function logUnlessGone(error: NodeJS.ErrnoException, log: Logger): void {
  const isGone = ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'ECANCELED'];
  if (!isGone.includes(error.code ?? '')) log.error({ err: error }, 'answer failed');
}
