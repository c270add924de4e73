import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import type { InstanceActor } from '../../machines/instanceMachine.js';
import { viewAlone } from '../cluster/instanceViews.js';
import type { Config } from '../config/config.js';
import type { Dependencies } from '../dependencies/dependencies.js';
import { type AppNeeds, createListener, createMetricsListener } from '../http/app.js';
import { Hosts } from '../http/auth/hosts.js';
import { type ProxySignIn, proxyAnswerMs } from '../http/auth/proxyUsers.js';
import { Admission } from '../http/guards/admission.js';
import type { ReadTimeouts } from '../http/guards/slowDownloads.js';
import type { CallbackNeeds } from '../http/routes/callbacks.js';
import { builtPage } from '../http/routes/page.js';
import type { StreamNeeds } from '../http/routes/streams.js';
import type { Inspector } from '../inspection/inspector.js';
import { Machines } from '../inspection/machines.js';
import type { Observations } from '../observations/observations.js';
import type { CallbackReceiver } from '../pubsub/callbackReceiver.js';
import type { TokenClaims } from '../pubsub/eventTokens.js';
import type { InstanceCallbacks } from '../pubsub/instanceCallbacks.js';
import type { RequestLog } from '../pubsub/requestLog.js';
import { sendIfActive } from '../sendIfActive.js';
import { serviceVersion } from '../serviceVersion.js';
import type { InstanceView } from '../wire/instanceView.js';
import type { PauseReport } from '../wire/serviceState.js';
import type { ClusterParts } from './wireCluster.js';
import type { Fleet } from './wireFleet.js';
import { correctedIn, type MetricsParts } from './wireMetrics.js';
import type { PastParts } from './wirePast.js';
import type { RoomParts } from './wireRooms.js';
import { type ServerParts, wireStartup } from './wireServers.js';

/** The parts of the service that the routes use. */
export interface HttpWiringNeeds {
  config: Config;
  log: Logger;
  publicUrl: string;
  readTimeoutsMs: ReadTimeouts | undefined;
  isDraining: () => boolean;
  instance: InstanceActor;
  servers: ServerParts;
  /** Throws `no_leader` if this instance neither leads nor is alone. */
  fleet: () => Fleet;
  /** Undefined: this instance is alone. */
  cluster: ClusterParts | undefined;
  observations: Observations;
  past: PastParts;
  lastPause: () => PauseReport | null;
  rooms: RoomParts;
  dependencies: Dependencies;
  inspector: Inspector | undefined;
  metrics: MetricsParts;
  requestLog: RequestLog;
}

/** What answers requests. */
export interface Listeners {
  listener: RequestListener;
  /** Undefined: `METRICS_PORT` is not set. */
  metricsListener: RequestListener | undefined;
}

/** How long a client may take to send a body; docs/protocol.md names it. */
const bodyTimeoutMs = 10_000;
/** How long a client may take to read an answer. */
const defaultReadTimeoutsMs: ReadTimeouts = { stalled: 60_000, whole: 10 * 60_000 };

/** Gives every group of routes what it needs. */
export function wireHttp(needs: HttpWiringNeeds): Listeners {
  const forApp = appNeedsOf(needs);
  const { hasOwnPort } = forApp.metrics;
  return {
    listener: createListener(forApp),
    metricsListener: hasOwnPort ? createMetricsListener(forApp) : undefined,
  };
}

function appNeedsOf(needs: HttpWiringNeeds): AppNeeds {
  const { config, log, isDraining, fleet, cluster, observations, rooms } = needs;
  const { past, inspector, metrics } = needs;
  const { trustedProxies, corsOrigins, maxBodyBytes } = config;
  const bodyLimits = { maxBodyBytes, bodyTimeoutMs };
  const streams = cluster ? streamsIn(cluster) : streamsOf(needs);
  const viewerToken = config.auth === 'none' ? undefined : config.dashboardToken;
  return {
    log,
    hosts: new Hosts({
      allowedHosts: config.allowedHosts,
      publicUrl: needs.publicUrl,
      isTokenRequired: viewerToken !== undefined,
      trustedProxies,
    }),
    viewerToken,
    trustedProxies,
    proxySignIn: proxySignInOf(config),
    corsOrigins,
    bodyLimits,
    readTimeoutsMs: needs.readTimeoutsMs ?? defaultReadTimeoutsMs,
    isDraining,
    admission: new Admission({
      maxViewers: config.maxViewers,
      maxViewersPerAddress: config.maxViewersPerAddress,
      viewers: () => streams.feed.viewers + rooms.viewers() + (inspector?.viewers ?? 0),
      isDraining,
      trustedProxies,
      counts: metrics.counts.viewers,
      ...(cluster && { successor: () => (cluster.hasSuccessor() ? 'present' : 'absent') }),
    }),
    ...(cluster ? routesIn(cluster, needs) : routesOfServers(needs)),
    page: builtPage(),
    streams,
    fleet: {
      servers: () => fleet().view.serverDetails(),
      state: () => fleet().view.state(),
      drift: () => correctedIn(fleet()),
      lastPause: needs.lastPause,
      discovery: () => fleet().discovery.reports(),
      dependencies: () => needs.dependencies.reports(),
    },
    counts: { countsOf: (room) => fleet().view.countsOf(room) },
    serverRooms: { roomsOn: (server) => fleet().view.roomsOn(server) },
    serverRequests: { requestsTo: (server) => needs.requestLog.of(server) },
    ...rooms.routes,
    observations: () => observations.report(),
    ...past.routes,
    dependencies: () => needs.dependencies.reports(),
    instances: cluster?.instances ?? instancesAlone(needs),
    machines: new Machines(needs.instance),
    inspector,
    metrics: metrics.http,
    cluster: cluster && {
      ...cluster.http,
      addRoutes: (router) => {
        cluster.addRoutes(router, bodyLimits);
        rooms.addInstanceRoutes(router);
      },
    },
  };
}

function proxySignInOf({ proxyUserHeader: header, signOutUrl }: Config): ProxySignIn | undefined {
  return header === undefined ? undefined : { header, signOutUrl, answerMs: proxyAnswerMs };
}

/** The only instance, without a cluster. */
function instancesAlone({ publicUrl, fleet }: HttpWiringNeeds): () => InstanceView[] {
  const self = {
    id: randomBytes(6).toString('base64url'),
    url: publicUrl,
    version: serviceVersion(),
    startedAtMs: Date.now(),
  };
  return () => viewAlone({ ...self, viewers: fleet().feed.viewers });
}

/** Posts and start-up queries may reach any instance of a cluster. */
function routesIn({ callbacks }: ClusterParts, { servers, log, metrics }: HttpWiringNeeds) {
  const answerStartup = callbacks.askLeader.bind(callbacks);
  const inactiveAnswer = callbacks.inactiveAnswer.bind(callbacks);
  return {
    callbacks: callbacksOf(callbacks, metrics),
    startup: {
      answer: wireStartup(() => ({ answerStartup, inactiveAnswer }), servers),
      inactiveAnswer,
      logDefect: (error: unknown) => logQueryDefect(log, error),
    },
  };
}

function callbacksOf(callbacks: InstanceCallbacks, { counts }: MetricsParts): CallbackNeeds {
  return {
    tokens: callbacks.tokens,
    takePosted: callbacks.takePosted.bind(callbacks),
    takeContent: callbacks.takeContent.bind(callbacks),
    noteUncountedPost: callbacks.noteUncountedPost.bind(callbacks),
    passOn: callbacks.passOn.bind(callbacks),
    notePostWithoutToken: callbacks.notePostWithoutToken.bind(callbacks),
    counts: counts.posts,
  };
}

const logQueryDefect = (log: Logger, error: unknown) =>
  log.error({ err: error }, 'start-up query failed');

/** The relay tells the leader of its viewers, by following it. */
function streamsIn({ relay }: ClusterParts): StreamNeeds {
  return { feed: relay, viewerConnected: () => {}, viewerDisconnected: () => {} };
}

function routesOfServers({ fleet, servers, log, metrics }: HttpWiringNeeds) {
  const receiver = () => fleet().receiver;
  return {
    callbacks: {
      tokens: servers.tokens,
      takePosted: (...post: Parameters<CallbackReceiver['take']>) => receiver().take(...post),
      takeContent: (...post: Parameters<CallbackReceiver['takeContent']>) =>
        receiver().takeContent(...post),
      noteUncountedPost: (claims: TokenClaims) => receiver().noteUncountedPost(claims),
      notePostWithoutToken: (address: string) => receiver().notePostWithoutToken(address),
      counts: metrics.counts.posts,
    },
    startup: {
      answer: wireStartup(receiver, servers),
      inactiveAnswer: () => receiver().inactiveAnswer(),
      logDefect: (error: unknown) => logQueryDefect(log, error),
    },
  };
}

function streamsOf({ fleet }: HttpWiringNeeds): StreamNeeds {
  return {
    get feed() {
      return fleet().feed;
    },
    viewerConnected: () => fleet().activation.send({ type: 'viewer.connected' }),
    viewerDisconnected: () => sendIfActive(fleet().activation, { type: 'viewer.disconnected' }),
  };
}
