import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import type { ActorOptions, AnyActorLogic } from 'xstate';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { ServerId } from '../../machines/ports.js';
import type { Config } from '../config/config.js';
import { Discovery } from '../discovery/discovery.js';
import { sourcesFor } from '../discovery/sources.js';
import { Feed } from '../fleet/feed.js';
import { FleetLog } from '../fleet/fleetLog.js';
import { FleetView } from '../fleet/fleetView.js';
import type { ReadTimeouts } from '../http/guards/slowDownloads.js';
import { Inspector } from '../inspection/inspector.js';
import { Observations } from '../observations/observations.js';
import type { PubSubServersNeeds } from '../pubsub/pubSubServers.js';
import type { ServersTable, Store } from '../store/store.js';
import { withDeadline } from '../timing/withDeadline.js';
import { wireActivation } from './wireActivation.js';
import { wireHttp } from './wireHttp.js';
import { wirePubSub, wireReceiver } from './wirePubSub.js';
import { wireRooms } from './wireRooms.js';

/** A service whose parts are connected but not started. */
export interface WiredService {
  actor: ActivationActor;
  /** Answers every request. */
  listener: RequestListener;
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

/** Connects all parts of the service: fills the machines' slots, and gives the routes what they need. */
export function wireService(needs: WiringNeeds): WiredService {
  const { config, log, ownPort, store, memory } = needs;
  // The parts below use each other. Those that do not exist yet are reached through functions.
  const actor = () => activation;
  // No larger answer is read, so a server's room names cannot be longer than this together.
  const limits = { maxRooms: config.maxRoomsPerServer, maxNamesLength: config.maxSnapshotBytes };
  const onHeard = (server: ServerId) => {
    view.noteHeard(server);
    discovery.noteHeard(server);
  };
  const pubSub = wirePubSub({
    config,
    log,
    ownPort,
    snapshotLimits: limits,
    lookup: needs.lookup,
    actor,
    onHeard,
    clock: needs.clock,
  });
  const { book, pubSubServers, callbacks, agents, roomPosts } = pubSub;
  const discovery = new Discovery({
    log,
    sources: sourcesFor(config, store),
    servers: memory ?? store.servers,
    configured: config.pubSubServers,
    mayContact: (address, port) => book.mayContact(address, port),
    intervalMs: needs.discoveryIntervalMs,
  });
  const observations = new Observations({
    log,
    table: store.observations,
    totals: () => activation.getSnapshot().context.tally.totals,
    watching: () => view.watching(),
  });
  const rooms = wireRooms({
    config,
    log,
    store,
    book,
    lookup: needs.lookup,
    onHeard,
    takesNames: (server) => agents.supports(server, 'names'),
    observations,
    tell: (event) => {
      // At shutdown, the machine stops before the last stream has closed.
      if (activation.getSnapshot().status === 'active') activation.send(event);
    },
    servers: memory ?? store.servers,
  });
  const inspector = config.inspect ? new Inspector(log) : undefined;
  const activation = wireActivation({
    config,
    log,
    limits,
    pubSubServer: pubSub.machine,
    discovery,
    room: rooms.machine,
    publish: () => {
      feed.publish();
      observations.touch();
    },
    restartFeed: () => feed.restart(),
    inspector,
    clock: needs.clock,
  });
  const view = new FleetView(activation, {
    callbackOf: (server) => callbacks.of(server),
    agentOf: (server) => agents.get(server),
    onGone: (server) => agents.forget(server),
    haveSourcesAnswered: () => discovery.haveSourcesAnswered,
  });
  const configured = new Set<string>(config.pubSubServers);
  const fleetLog = new FleetLog({
    log,
    isConfigured: (server) => configured.has(server),
    state: () => view.state(),
  });
  fleetLog.follow(activation);
  const run = randomBytes(6).toString('base64url');
  const feed = new Feed(view, {
    run,
    frameIntervalMs: config.frameIntervalMs,
    onServersChanged: (servers) => fleetLog.noteServers(servers),
  });
  const receiver = wireReceiver({
    config,
    pubSub,
    actor: activation,
    onHeard: (server) => view.noteHeard(server),
    observe: (server, deltas) => {
      observations.take(deltas);
      roomPosts.noteDeltas(server, deltas);
    },
    takeUpdate: rooms.takeUpdate,
    takeContent: rooms.takeContent,
    noteLostContent: (server) => roomPosts.noteRefusedPost(server),
  });

  rooms.lead({
    activation,
    counts: () => view.counts(),
    isGone: (server) => discovery.isGone(server),
    roomPosts,
  });

  let isDraining = false;
  let saved: Promise<void> | undefined;
  const listener = wireHttp({
    config,
    log,
    publicUrl: needs.publicUrl,
    readTimeoutsMs: needs.readTimeoutsMs,
    isDraining: () => isDraining,
    actor: activation,
    pubSub,
    receiver,
    feed,
    view,
    discovery,
    observations,
    rooms,
    inspector,
  });
  const endStreams = () => {
    isDraining = true;
    feed.close();
    rooms.endStreams();
    roomPosts.silence();
    inspector?.close();
    saved = observations.close();
  };
  const close = async () => {
    receiver.close();
    feed.close();
    activation.stop();
    roomPosts.close();
    pubSubServers.close();
    await rooms.close();
    await withDeadline(saved ?? observations.close(), saveTimeoutMs, () => undefined);
  };
  return { actor: activation, listener, endStreams, close };
}
