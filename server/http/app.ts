import type { RequestListener } from 'node:http';
import cors from '@koa/cors';
import Router from '@koa/router';
import Koa, { type Context } from 'koa';
import type { Logger } from 'pino';
import type { Networks } from '../addresses.js';
import { Authentication } from './auth/authentication.js';
import type { Hosts } from './auth/hosts.js';
import { apiError } from './errors.js';
import { closingQueuedAnswers, dropAbandoned } from './guards/abandonedAnswers.js';
import { closingAfterTwoReadings, requireOneReading } from './guards/duplicateHeaders.js';
import { noteProxies } from './guards/proxyNotices.js';
import { cuttingSlowReaders, type ReadTimeouts } from './guards/slowReaders.js';
import { limitingBodies } from './guards/unreadBodies.js';
import { refusalOf } from './refusals.js';
import { type CallbackNeeds, callbackListener, callbackRoutes } from './routes/callbacks.js';
import { type ConnectionNeeds, connectionRoutes } from './routes/connections.js';
import { type CountNeeds, countRoutes } from './routes/counts.js';
import { type FleetNeeds, fleetRoutes } from './routes/fleet.js';
import { healthRoutes } from './routes/health.js';
import { type InspectNeeds, inspectRoutes } from './routes/inspect.js';
import { type MachineNeeds, machineRoutes } from './routes/machines.js';
import { type ObservationNeeds, observationRoutes } from './routes/observations.js';
import { openapiRoutes } from './routes/openapi.js';
import { type PageNeeds, pageRoutes } from './routes/page.js';
import { type RoomStreamNeeds, roomStreamRoutes } from './routes/roomStreams.js';
import { type RoomNeeds, roomRoutes } from './routes/rooms.js';
import { sessionRoutes } from './routes/session.js';
import { type StartupNeeds, startupRoutes } from './routes/startup.js';
import { type StreamNeeds, streamRoutes } from './routes/streams.js';
import { type UpdateNeeds, updateRoutes } from './routes/updates.js';

/** What the HTTP side needs of the rest of the service. */
export interface AppNeeds
  extends CallbackNeeds,
    StartupNeeds,
    StreamNeeds,
    FleetNeeds,
    MachineNeeds,
    InspectNeeds,
    RoomNeeds,
    RoomStreamNeeds,
    ConnectionNeeds,
    CountNeeds,
    ObservationNeeds,
    PageNeeds,
    UpdateNeeds {
  /** The bearer token that viewers must send; undefined: none. */
  viewerToken: string | undefined;
  /** Proxies whose word is taken for the address of a viewer. */
  trustedProxies: Networks | undefined;
  hosts: Hosts;
  readTimeoutsMs: ReadTimeouts;
  /** Origins whose pages may read the answers; `*`: any. */
  corsOrigins: readonly string[];
  log: Logger;
}

/** Answers every request: posted deltas by themselves, all else by Koa. */
export function createListener(needs: AppNeeds): RequestListener {
  const others = limitingBodies(
    cuttingSlowReaders(closingQueuedAnswers(createApp(needs).callback()), needs.readTimeoutsMs),
    needs.bodyTimeoutMs,
  );
  return closingAfterTwoReadings(callbackListener(needs, others));
}

/** The Koa application with every route; it listens to nothing. */
export function createApp(needs: AppNeeds): Koa {
  const app = new Koa();
  app.on('error', (error) => logUnlessGone(error, needs.log));
  app.use(dropAbandoned);
  if (needs.corsOrigins.length > 0) app.use(exceptForServers(allowOrigins(needs.corsOrigins)));
  app.use((ctx, next) => answerErrors(ctx, next, needs.log));
  app.use((ctx, next) => (isForServers(ctx) ? next() : refuseTwoReadings(ctx, next)));
  app.use((ctx, next) => (isForPrograms(ctx) ? next() : guardBrowsers(ctx, next, needs.hosts)));
  const note = noteProxies(needs.trustedProxies, needs.log);
  app.use((ctx, next) => (isForPrograms(ctx) ? next() : note(ctx, next)));
  const router = new Router();
  callbackRoutes(router, needs);
  startupRoutes(router, needs);
  healthRoutes(router, needs);
  openapiRoutes(router);
  pageRoutes(router, needs);
  const authentication = new Authentication(needs);
  const authenticate = authentication.require;
  sessionRoutes(router, authentication, needs);
  streamRoutes(router, authenticate, needs);
  fleetRoutes(router, authenticate, needs);
  machineRoutes(router, authenticate, needs);
  inspectRoutes(router, authenticate, needs);
  countRoutes(router, authenticate, needs);
  connectionRoutes(router, authenticate, needs);
  observationRoutes(router, authenticate, needs);
  updateRoutes(router, authenticate, needs);
  // Of two routes that a path may mean the first has it: what belongs to a room before the room.
  roomStreamRoutes(router, authenticate, needs);
  roomRoutes(router, authenticate, needs);
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

/** Lets pages of other origins read the answers (Fetch standard, CORS protocol); never with cookies. */
function allowOrigins(origins: readonly string[]): Koa.Middleware {
  const isAny = origins.includes('*');
  const allowed = (origin: string) => (isAny ? '*' : origin);
  return cors({
    origin: (ctx) => {
      const origin = ctx.get('Origin');
      return isAny || origins.includes(origin) ? allowed(origin) : '';
    },
    allowMethods: 'GET,HEAD',
    exposeHeaders: 'Age,Link,X-Stale,X-Complete,X-Discovery-Failed',
  });
}

/** What servers ask is for no page to read. */
function exceptForServers(middleware: Koa.Middleware): Koa.Middleware {
  return (ctx, next) => (isForServers(ctx) ? next() : middleware(ctx, next));
}

async function answerErrors(ctx: Context, next: () => Promise<unknown>, log: Logger) {
  try {
    if (!hasPath(ctx)) throw apiError('not_found');
    await next();
    if (ctx.body === undefined) refuseUnanswered(ctx.status);
  } catch (error) {
    const refusal = refusalOf(error, ctx.req, log);
    if (!refusal) return;
    ctx.status = refusal.status;
    ctx.set(refusal.headers);
    ctx.body = refusal.body;
  }
}

/** What pub-sub servers ask: whose routes have more to do about a bad request than to refuse it. */
function isForServers({ method, path }: Context): boolean {
  if (method === 'POST') return /^\/api\/events\/?$/i.test(path);
  return /^\/api\/events\/clients\/?$/i.test(path);
}

/** What pub-sub servers and supervisors ask, by whatever name they know this service. */
function isForPrograms(ctx: Context): boolean {
  if (isForServers(ctx)) return true;
  return ctx.method !== 'POST' && /^\/(health|ready)\/?$/i.test(ctx.path);
}

function refuseTwoReadings(ctx: Context, next: Koa.Next) {
  requireOneReading(ctx.req);
  return next();
}

/** Answers are for pages of this origin (Fetch standard, CORP), and nothing but what they say they are. */
function guardBrowsers(ctx: Context, next: Koa.Next, hosts: Hosts) {
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
  return hosts.check(ctx, next);
}

/** `http://[/` is a request target as good as any to the parser of HTTP. */
function hasPath(ctx: Context): boolean {
  try {
    return ctx.path !== '';
  } catch {
    return false;
  }
}

/** The router leaves 404, or 405 and 501 with the methods that the path takes. */
function refuseUnanswered(status: number): void {
  if (status === 404) throw apiError('not_found');
  if (status === 405 || status === 501) throw apiError('method_not_allowed');
}

const goneCodes = ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'ECANCELED'];

/**
 * A client that leaves ends its stream early; that is no error. Nor is it one of this service when
 * what came is no HTTP, or comes too slowly.
 */
function logUnlessGone(error: NodeJS.ErrnoException, log: Logger): void {
  const { code = '' } = error;
  if (goneCodes.includes(code)) return;
  if (isOfSender(code)) log.info({ code }, 'request broken off');
  else log.error({ err: error }, 'answer failed');
}

/** What Node says of a request that it could not parse (llhttp), or did not wait for. */
const isOfSender = (code: string) => code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';
