import type { RequestListener } from 'node:http';
import cors from '@koa/cors';
import Router from '@koa/router';
import Koa, { type Context, type Middleware, type Next } from 'koa';
import type { Logger } from 'pino';
import type { Networks } from '../addresses.js';
import type { Forwarding } from '../cluster/forwarding.js';
import type { InstanceSignatures } from '../cluster/instanceSignatures.js';
import type { OtherInstances } from '../cluster/otherInstances.js';
import type { Inspector } from '../inspection/inspector.js';
import type { Machines } from '../inspection/machines.js';
import type { UpdatesFeed } from '../rooms/watching/updatesFeed.js';
import { noteRoute } from '../tracing/traceRequests.js';
import type { ActivityEvent } from '../wire/activityEvent.js';
import type { DependencyReport } from '../wire/dependencyReport.js';
import type { InstanceView } from '../wire/instanceView.js';
import type { ObservationsReport } from '../wire/observationsReport.js';
import type { Attempts } from './auth/attempts.js';
import { Authentication } from './auth/authentication.js';
import type { Hosts } from './auth/hosts.js';
import { recognizeInstances, requireInstance, senderOf } from './auth/instances.js';
import type { ProxySignIn } from './auth/proxyUsers.js';
import type { SharedSignOuts } from './auth/sessions.js';
import { apiError } from './errors.js';
import { forwardToLeader } from './forwardToLeader.js';
import { closeQueuedAnswers, dropAbandoned } from './guards/abandonedAnswers.js';
import type { Admission } from './guards/admission.js';
import type { BodyLimits } from './guards/body.js';
import { noteProxies } from './guards/proxyNotices.js';
import { closeAfterRequestSmuggling, refuseRequestSmuggling } from './guards/requestSmuggling.js';
import { cutSlowDownloads, type ReadTimeouts } from './guards/slowDownloads.js';
import { limitBodies } from './guards/unreadBodies.js';
import { refusalOf } from './refusals.js';
import { activityRoutes } from './routes/activity.js';
import { type CallbackNeeds, callbackListener, callbackRoutes } from './routes/callbacks.js';
import { type ConnectionNeeds, connectionRoutes } from './routes/connections.js';
import { type CountNeeds, countRoutes } from './routes/counts.js';
import { dependencyRoutes } from './routes/dependencies.js';
import { type FleetNeeds, fleetRoutes } from './routes/fleet.js';
import { healthRoutes } from './routes/health.js';
import { type HistoryRouteNeeds, historyRoutes } from './routes/history.js';
import { inspectRoutes } from './routes/inspect.js';
import { instanceRoutes } from './routes/instances.js';
import { machineRoutes } from './routes/machines.js';
import { type MetricsNeeds, metricsRoutes } from './routes/metrics.js';
import { observationRoutes } from './routes/observations.js';
import { openapiRoutes } from './routes/openapi.js';
import { pageRoutes } from './routes/page.js';
import { type RoomStreamNeeds, roomStreamRoutes } from './routes/roomStreams.js';
import { type RoomNeeds, roomListRoutes, roomRoutes } from './routes/rooms.js';
import { type ServerRequestNeeds, serverRequestRoutes } from './routes/serverRequests.js';
import { type RoomsOnServer, serverRoomRoutes } from './routes/serverRooms.js';
import { sessionRoutes } from './routes/session.js';
import { type StartupNeeds, startupRoutes } from './routes/startup.js';
import { type StreamNeeds, streamRoutes } from './routes/streams.js';
import { updateRoutes } from './routes/updates.js';
import { watchedElsewhere } from './routes/watchedElsewhere.js';
import { watchedRoomRoutes } from './routes/watchedRooms.js';
import type { StaticFiles } from './staticFiles.js';

/** What the HTTP side needs from the rest of the service: first what all routes share, then one entry per group of routes. */
export interface AppNeeds {
  log: Logger;
  hosts: Hosts;
  /** The token that viewers must send; undefined: none. */
  viewerToken: string | undefined;
  /** Proxies whose `X-Forwarded-*` headers are trusted. */
  trustedProxies: Networks | undefined;
  /** Where these proxies name the person who signed in; undefined: nobody signs in there. */
  proxySignIn: ProxySignIn | undefined;
  /** Origins whose pages may read the answers; `*`: any. */
  corsOrigins: readonly string[];
  bodyLimits: BodyLimits;
  readTimeoutsMs: ReadTimeouts;
  /** Whether the service is shutting down. */
  isDraining: () => boolean;
  /** Lets viewers open event streams. */
  admission: Admission;

  callbacks: CallbackNeeds;
  startup: StartupNeeds;
  /** The files of the built page; undefined: it was not built. */
  page: StaticFiles | undefined;
  streams: StreamNeeds;
  fleet: FleetNeeds;
  counts: CountNeeds;
  serverRooms: { roomsOn: RoomsOnServer };
  serverRequests: ServerRequestNeeds;
  rooms: RoomNeeds;
  /** These two are undefined if content is hidden (`SHOW_CONTENT`), as is `rooms.content`. */
  roomStreams: RoomStreamNeeds | undefined;
  updates: UpdatesFeed | undefined;
  connections: ConnectionNeeds;
  observations: () => ObservationsReport;
  /** The events after an id. */
  activity: (after: string | undefined) => ActivityEvent[];
  history: HistoryRouteNeeds;
  /** The health of what this instance uses outside itself. */
  dependencies: () => DependencyReport[];
  instances: () => InstanceView[];
  machines: Machines;
  /** Undefined: `INSPECT` is off. */
  inspector: Inspector | undefined;
  metrics: MetricsNeeds;
  /** Undefined: this instance is alone. */
  cluster?: ClusterNeeds | undefined;
}

/** What connects this instance with the others. */
export interface ClusterNeeds {
  /** Recognizes requests of other instances. */
  signatures: InstanceSignatures;
  /** Passes questions on to the leader. */
  forwarding: Forwarding;
  /** Asks all other instances. */
  others: OtherInstances;
  /** Counts wrong tokens for all instances. */
  attempts: Attempts;
  /** Remembers sign-outs for all instances. */
  signOuts: SharedSignOuts;
  /** Whether it has known no leader since it started. */
  isStarting: () => boolean;
  /** Adds the routes that only other instances may use; each path begins with `/api/instances/`. */
  addRoutes: (router: Router) => void;
}

/** Answers every request: posts of pub-sub servers without Koa, all others with it. */
export function createListener(needs: AppNeeds): RequestListener {
  const { callbacks, bodyLimits, readTimeoutsMs, log } = needs;
  const koaListener = limitBodies(
    cutSlowDownloads(closeQueuedAnswers(createApp(needs).callback()), readTimeoutsMs),
    bodyLimits.bodyTimeoutMs,
  );
  return closeAfterRequestSmuggling(callbackListener({ callbacks, bodyLimits, log }, koaListener));
}

/** Answers requests to `METRICS_PORT`. */
export function createMetricsListener(needs: AppNeeds): RequestListener {
  const { readTimeoutsMs, bodyLimits } = needs;
  const app = createMetricsApp(needs).callback();
  return limitBodies(
    cutSlowDownloads(closeQueuedAnswers(app), readTimeoutsMs),
    bodyLimits.bodyTimeoutMs,
  );
}

/** The Koa application of `METRICS_PORT`: the metrics, and nothing else. */
function createMetricsApp(needs: AppNeeds): Koa {
  const app = newApp(needs.log);
  app.use(refuseSmuggledRequests);
  app.use(setSecurityHeaders);
  app.use(needs.hosts.check);
  const router = new Router();
  metricsRoutes(router, needs.metrics, scraperCheck(needs));
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

/** An application that answers errors and knows no path. */
function newApp(log: Logger): Koa {
  const app = new Koa();
  app.on('error', (error) => logUnlessGone(error, log));
  app.use(dropAbandoned);
  app.use((ctx, next) => answerErrors(ctx, next, log));
  return app;
}

/** Requires `METRICS_TOKEN`; without one, what viewers must send. */
function scraperCheck(needs: AppNeeds, viewers = new Authentication(needs)): Middleware {
  const { token } = needs.metrics;
  if (token === undefined) return viewers.require;
  return new Authentication({ ...needs, viewerToken: token, proxySignIn: undefined }).require;
}

/** The Koa application with every route; it does not listen. */
export function createApp(needs: AppNeeds): Koa {
  const { log, hosts, corsOrigins, trustedProxies } = needs;
  const app = newApp(log);
  app.use(noteRoute);
  // Routes for pub-sub servers have guards of their own. No page may read them, so CORS comes after them.
  app.use(serverRouter(needs).routes());
  if (corsOrigins.length > 0) app.use(allowOrigins(corsOrigins));
  app.use(refuseSmuggledRequests);
  if (needs.cluster) app.use(recognizeInstances(needs.cluster.signatures));
  // Supervisors may use any host name for the service.
  app.use(supervisorRouter(needs).routes());
  app.use(setSecurityHeaders);
  // Instances call each other by any name, and have proved who they are.
  app.use(unlessInstance(hosts.check));
  app.use(unlessInstance(noteProxies(trustedProxies, log)));
  if (needs.cluster) app.use(instanceRouter(needs.cluster).routes());
  const viewers = viewerRouter(needs);
  app.use(viewers.routes());
  app.use(viewers.allowedMethods());
  return app;
}

/** Routes for pub-sub servers. */
function serverRouter({ callbacks, startup, hosts, bodyLimits }: AppNeeds): Router {
  const router = new Router();
  callbackRoutes(router, { callbacks, bodyLimits });
  startupRoutes(router, { startup, hosts });
  return router;
}

/** Routes for what supervises the service: load balancers, systemd, Kubernetes. */
function supervisorRouter({ isDraining, cluster }: AppNeeds): Router {
  const router = new Router();
  healthRoutes(router, { isDraining, isStarting: cluster?.isStarting ?? (() => false) });
  return router;
}

/** Routes for other instances of the cluster. */
function instanceRouter({ addRoutes }: ClusterNeeds): Router {
  const router = new Router();
  router.use(requireInstance);
  addRoutes(router);
  return router;
}

/** Routes for viewers: browsers and programs. */
function viewerRouter(needs: AppNeeds): Router {
  const { admission } = needs;
  const elsewhere = watchedElsewhere(needs.cluster?.others);
  const router = new Router();
  const authentication = new Authentication(needs);
  openapiRoutes(router);
  pageRoutes(router, needs.page);
  const { bodyTimeoutMs } = needs.bodyLimits;
  const showsContent = needs.rooms.content !== undefined;
  sessionRoutes(router, { authentication, bodyTimeoutMs, showsContent });
  if (!needs.metrics.hasOwnPort)
    metricsRoutes(router, needs.metrics, scraperCheck(needs, authentication));
  // Every route below requires authentication.
  router.use(unlessInstance(authentication.require));
  // The first route that matches a path answers it, so routes below a room come before the room.
  streamRoutes(router, needs.streams, admission);
  updateRoutes(router, needs.updates, admission);
  const { roomStreams } = needs;
  roomStreamRoutes(router, roomStreams && { ...roomStreams, elsewhere }, admission);
  watchedRoomRoutes(router, roomStreams?.watches, needs.cluster?.others);
  instanceRoutes(router, needs.instances);
  dependencyRoutes(router, needs.dependencies);
  const contentRoutes = () => {
    inspectRoutes(router, needs.inspector, admission);
    roomRoutes(router, { ...needs.rooms, elsewhere });
  };
  // The leader may show what this instance hides, so it is not asked.
  if (!showsContent) contentRoutes();
  // In a cluster the leader answers every route below. docs/protocol.md has the list.
  if (needs.cluster) router.use(forwardToLeader(needs.cluster.forwarding));
  fleetRoutes(router, needs.fleet);
  machineRoutes(router, needs.machines);
  countRoutes(router, needs.counts);
  serverRoomRoutes(router, needs.serverRooms);
  serverRequestRoutes(router, needs.serverRequests);
  connectionRoutes(router, needs.connections);
  observationRoutes(router, needs.observations);
  activityRoutes(router, needs.activity);
  historyRoutes(router, needs.history);
  roomListRoutes(router, needs.rooms);
  if (showsContent) contentRoutes();
  return router;
}

/** Lets pages of other origins read the answers (Fetch standard, CORS protocol); never with cookies. */
function allowOrigins(origins: readonly string[]): Middleware {
  const isAny = origins.includes('*');
  return cors({
    origin: (ctx) => {
      const origin = ctx.get('Origin');
      if (isAny) return '*';
      return origins.includes(origin) ? origin : '';
    },
    allowMethods: 'GET,HEAD',
    exposeHeaders: 'Age,Link,X-Stale,X-Complete,X-Discovery-Failed',
    // `answerErrors` keeps the headers that are set.
    keepHeadersOnError: false,
  });
}

async function answerErrors(ctx: Context, next: Next, log: Logger) {
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

/** Koa throws when it reads the path of some targets that Node's HTTP parser accepts, such as `http://[/`. */
function hasPath(ctx: Context): boolean {
  try {
    return ctx.path !== '';
  } catch {
    return false;
  }
}

/** The router leaves status 404, or 405 and 501 with the allowed methods in `Allow`. */
function refuseUnanswered(status: number): void {
  if (status === 404) throw apiError('not_found');
  if (status === 405 || status === 501) throw apiError('method_not_allowed');
}

function refuseSmuggledRequests({ req }: Context, next: Next) {
  refuseRequestSmuggling(req);
  return next();
}

/** Middleware for everybody but other instances of this cluster. */
function unlessInstance(middleware: Middleware): Middleware {
  return (ctx, next) => (senderOf(ctx) === undefined ? middleware(ctx, next) : next());
}

/** Answers are for pages of this origin (Fetch standard, CORP). Browsers must not guess their types. */
function setSecurityHeaders(ctx: Context, next: Next) {
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
  return next();
}

const goneCodes = ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'ECANCELED'];

/** A client that leaves, or that sends bad HTTP or sends it too slowly, is not an error of this service. */
function logUnlessGone(error: NodeJS.ErrnoException, log: Logger): void {
  const { code = '' } = error;
  if (goneCodes.includes(code)) return;
  if (isClientError(code)) log.info({ code }, 'request aborted');
  else log.error({ err: error }, 'response failed');
}

/** Node's codes for a request that it could not parse (llhttp), or that took too long. */
const isClientError = (code: string) =>
  code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';
