import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import type { ActorOptions, AnyActorLogic } from 'xstate';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { InstanceActor } from '../../machines/instanceMachine.js';
import type { InstanceEvent } from '../../machines/instanceSetup.js';
import type { RoomName, ServerId } from '../../machines/ports.js';
import type { Delta } from '../../machines/tally.js';
import { noteDependencies } from '../activity/dependencyActivity.js';
import type { ClusterConnection } from '../cluster/connect.js';
import { redisServersTable } from '../cluster/redisServersTable.js';
import type { Config } from '../config/config.js';
import { peerUrlFor } from '../config/peerUrlFor.js';
import { noLeader } from '../http/forwardToLeader.js';
import type { ReadTimeouts } from '../http/guards/slowDownloads.js';
import { Inspector } from '../inspection/inspector.js';
import { Observations } from '../observations/observations.js';
import type { PubSubServersNeeds } from '../pubsub/pubSubServers.js';
import { RequestLog } from '../pubsub/requestLog.js';
import type { RoomPosts } from '../pubsub/roomPosts.js';
import { sendIfActive } from '../sendIfActive.js';
import type { ServersTable, Store } from '../store/store.js';
import { withDeadline } from '../timing/withDeadline.js';
import { traceRequests } from '../tracing/traceRequests.js';
import type { Tracing } from '../tracing/tracing.js';
import type { ServerView } from '../wire/serverView.js';
import { perLeadership } from './perLeadership.js';
import { wireCluster } from './wireCluster.js';
import type { DependencyParts } from './wireDependencies.js';
import { type Fleet, wireFleet } from './wireFleet.js';
import { wireHttp } from './wireHttp.js';
import { wireInstance } from './wireInstance.js';
import { type Leadership, wireLeadership } from './wireLeadership.js';
import { wireMetrics } from './wireMetrics.js';
import { wirePast } from './wirePast.js';
import { wirePauses } from './wirePauses.js';
import { type RoomParts, wireRooms } from './wireRooms.js';
import { wireServers } from './wireServers.js';
import { wireWebhooks } from './wireWebhooks.js';

/** A service whose parts are connected but not started. */
export interface WiredService {
  /** The root of all actors. */
  instance: InstanceActor;
  /** The actor that counts. Throws if this instance does not lead. */
  activation: () => ActivationActor;
  /** Answers every request. */
  listener: RequestListener;
  /** Answers those to `METRICS_PORT`; undefined: there is no such port. */
  metricsListener: RequestListener | undefined;
  /** How many times this process was paused. */
  pauses: () => number;
  /** Starts the machine, and in a cluster the election. */
  start: () => void;
  /** Tells the other instances that this one goes. Call it when the machine has stopped. */
  leave: () => Promise<void>;
  /** Ends every event stream and refuses new ones; `/ready` answers 503. */
  endStreams: () => void;
  /** Ends every timer, stream and request. */
  close: () => Promise<void>;
}

/** What the service is made of: its configuration, and parts that its caller owns. */
export interface WiringNeeds {
  config: Config;
  log: Logger;
  /** Where viewers reach this service, without a trailing slash. */
  publicUrl: string;
  ownPort: number;
  /** Its owner closes it. */
  store: Store;
  /** Remembers servers that were found by a start-up query; the store's table by default. */
  memory?: ServersTable | undefined;
  /** The Redis of the cluster, which its owner closes; undefined: this instance is alone. */
  connection?: ClusterConnection | undefined;
  /** The health of what is outside. Its owner starts and closes it. */
  health: Pick<DependencyParts, 'dependencies' | 'redis'>;
  /** Its owner closes it. Undefined: there are no traces. */
  tracing?: Tracing | undefined;
  /** Time between two rounds of discovery; tests shorten it. */
  discoveryIntervalMs?: number | undefined;
  /** Clock of the machines' delays; tests control it. */
  clock?: ActorOptions<AnyActorLogic>['clock'] | undefined;
  /** How long a client may take to read an answer; tests shorten it. */
  readTimeoutsMs?: ReadTimeouts | undefined;
  /** Resolves host names of pub-sub servers; tests use their own name servers. */
  lookup?: PubSubServersNeeds['lookup'] | undefined;
}

/** How long shutting down waits until the observations are saved. */
const saveTimeoutMs = 1000;
/** How long it waits until Redis has what came last for the leader. */
const inboxTimeoutMs = 1000;

/** Connects all parts of the service: fills the machines' slots, and gives the routes what they need. */
export function wireService(needs: WiringNeeds): WiredService {
  const { config, log, ownPort, store, connection, tracing } = needs;
  // The parts below use each other. Those that do not exist yet are reached through functions.
  let current: { fleet: Fleet; leadership: Leadership | undefined } | undefined;
  const fleet = () => {
    if (!current) throw noLeader();
    return current.fleet;
  };
  let isDraining = false;
  const requestLog = new RequestLog();
  const metrics = wireMetrics({
    config,
    onRequest: (ended) => requestLog.note(ended),
    fleet: () => current?.fleet,
    rooms: () => rooms.watchedRooms(),
    leaderLagMs: () => cluster?.relay.status().beatAgoMs ?? null,
    dependencies: () => needs.health.dependencies.reports(),
  });
  const tell = (event: InstanceEvent) => sendIfActive(instance, event);
  const servers = wireServers({
    config,
    log,
    ownPort,
    lookup: needs.lookup,
    tracing,
    onAgentChanged: (...changed) => {
      current?.fleet.pubSub.roomPosts.noteAgent(...changed);
      if (current) past.noteAgent(...changed);
    },
  });
  /** URL of this instance. */
  const url = connection ? peerUrlFor(config, ownPort) : needs.publicUrl;
  const past = wirePast({
    url,
    configured: config.pubSubServers,
    fleet: () => current?.fleet,
    watchedRooms: () => rooms.watched(),
  });
  const pauses = wirePauses({
    log,
    url,
    note: (event) => past.activity.note(event),
    fleet: () => current?.fleet,
  });
  const clock = needs.clock ?? pauses.clock;
  const { dependencies } = needs.health;
  const webhooks = wireWebhooks({ config, log, activity: past.activity, dependencies });
  noteDependencies(dependencies, (event) => past.activity.note(event));
  const remembered = rememberedIn(needs);
  const knownServers = async () => {
    const items = await remembered.list().catch(() => []);
    return [...config.pubSubServers, ...items.map(({ server }) => server)];
  };
  const cluster =
    connection &&
    wireCluster({
      config,
      log,
      connection,
      ownPort,
      servers,
      knownServers,
      fleet: () => current?.fleet,
      leadership: () => current?.leadership,
      isDraining: () => isDraining,
      counts: metrics.counts,
      tell,
      onLeader: (leader) => rooms.follow(leader),
      activity: past.activity,
      onElection: (event) => past.roles.noteElection(event),
    });
  const observations = new Observations({
    log,
    table: store.observations,
    totals: () => current?.fleet.activation.getSnapshot().context.tally.totals ?? noTotals,
    watching: () => current?.fleet.view.watching() ?? notWatching,
  });
  const rooms = wireRooms({
    config,
    log,
    store,
    book: servers.book,
    http: servers.http,
    onHeard: (server) => {
      current?.fleet.view.noteHeard(server);
      current?.fleet.discovery.noteHeard(server);
    },
    meter: metrics.meters.meter,
    takesNames: (server) => servers.agents.supports(server, 'names'),
    observations,
    tell,
    knownServers,
    requests: cluster?.requests,
    onDiverged: past.noteDivergence,
    redisHealth: needs.health.redis,
  });
  const inspector = config.inspect ? new Inspector(log) : undefined;
  const forFleet = {
    config,
    log,
    store,
    remembered,
    servers,
    run: randomBytes(6).toString('base64url'),
    discoveryIntervalMs: needs.discoveryIntervalMs,
    clock,
    pauses: pauses.count,
    meters: metrics.meters,
    onChanged: () => {
      observations.touch();
      past.history.touch();
    },
    onServersChanged: (servers: readonly ServerView[]) => past.servers.noteServers(servers),
    posted: postedTo(observations, rooms, () => current?.fleet.pubSub.roomPosts),
  };
  const onBegun = (begun: Fleet, leadership: Leadership | undefined) => {
    current = { fleet: begun, leadership };
    past.servers.begin();
    const { activation, view, discovery, pubSub } = begun;
    rooms.lead({
      activation,
      counts: () => view.counts(),
      isGone: (server) => discovery.isGone(server),
      roomPosts: pubSub.roomPosts,
    });
    cluster?.lead(begun);
    metrics.lead(begun);
  };
  const closeFleet = () => {
    if (!current) return;
    const { pubSub } = current.fleet;
    // First of all: nothing may reach a server after the lease.
    pubSub.pubSubServers.close();
    cluster?.stopLeading();
    metrics.stopLeading(current.fleet);
    current.fleet.close();
    current = undefined;
  };
  const instance = wireInstance({
    config,
    log,
    activation: perLeadership((activation, { term, begins }) => {
      const leadership = cluster && wireLeadership({ ...cluster, log, activation });
      const scope = { activation, term, begins, leadership };
      return wireFleet(forFleet, { ...scope, onBegun: (begun) => onBegun(begun, leadership) });
    }),
    room: rooms.machine,
    cluster,
    closeFleet,
    leadership: () => current?.leadership,
    inspector,
    clock,
  });

  let saved: Promise<void> | undefined;
  const { listener, metricsListener } = wireHttp({
    config,
    log,
    publicUrl: needs.publicUrl,
    readTimeoutsMs: needs.readTimeoutsMs,
    isDraining: () => isDraining,
    instance,
    servers,
    fleet,
    cluster,
    observations,
    past,
    lastPause: pauses.last,
    rooms,
    dependencies: needs.health.dependencies,
    inspector,
    metrics,
    requestLog,
  });
  const endStreams = () => {
    isDraining = true;
    // The instances that follow a leader need its feed until it has handed over.
    if (cluster) cluster.relay.close();
    else current?.fleet.feed.close();
    rooms.endStreams();
    if (!cluster?.hasSuccessor()) current?.fleet.pubSub.roomPosts.silence();
    inspector?.close();
    saved = observations.close();
    past.close();
  };
  const start = () => {
    instance.start();
    if (cluster) cluster.lease.start();
    else past.roles.noteAlone();
    rooms.start();
  };
  const leave = async () => cluster?.leave();
  const close = async () => {
    pauses.close();
    metrics.close();
    current?.fleet.close();
    instance.stop();
    await withDeadline(cluster?.endInbox() ?? Promise.resolve(), inboxTimeoutMs, () => undefined);
    cluster?.close();
    webhooks.close();
    await rooms.close();
    await withDeadline(saved ?? observations.close(), saveTimeoutMs, () => undefined);
  };
  const activation = () => fleet().activation;
  return {
    instance,
    activation,
    listener: tracing ? traceRequests(listener, tracing) : listener,
    metricsListener,
    pauses: pauses.count,
    start,
    leave,
    endStreams,
    close,
  };
}

const noTotals: ReadonlyMap<RoomName, number> = new Map();
const notWatching = { isCounting: false, isComplete: false };

/** What remembers the servers that no source of discovery names. */
const rememberedIn = ({ connection, memory, store }: WiringNeeds): ServersTable =>
  connection ? redisServersTable(connection) : (memory ?? store.servers);

/** Who is told of what servers post, besides the machine. */
function postedTo(
  observations: Observations,
  rooms: RoomParts,
  roomPosts: () => RoomPosts | undefined,
) {
  return {
    observe: (server: ServerId, deltas: readonly Delta[]) => {
      observations.take(deltas);
      roomPosts()?.noteDeltas(server, deltas);
    },
    takeUpdate: rooms.takeUpdate,
    takeContent: rooms.takeContent,
    noteLostContent: (server: ServerId) => roomPosts()?.noteRefusedPost(server),
  };
}
