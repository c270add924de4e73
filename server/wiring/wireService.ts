import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import type { ActorOptions, AnyActorLogic } from 'xstate';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { InstanceActor } from '../../machines/instanceMachine.js';
import type { ServerId } from '../../machines/ports.js';
import type { Delta } from '../../machines/tally.js';
import type { Config } from '../config/config.js';
import type { ReadTimeouts } from '../http/guards/slowDownloads.js';
import { Inspector } from '../inspection/inspector.js';
import { Observations } from '../observations/observations.js';
import type { PubSubServersNeeds } from '../pubsub/pubSubServers.js';
import type { RoomPosts } from '../pubsub/roomPosts.js';
import type { ServersTable, Store } from '../store/store.js';
import { withDeadline } from '../timing/withDeadline.js';
import { perLeadership } from './perLeadership.js';
import { type Fleet, wireFleet } from './wireFleet.js';
import { wireHttp } from './wireHttp.js';
import { wireInstance } from './wireInstance.js';
import { wirePubSub } from './wirePubSub.js';
import { type RoomParts, wireRooms } from './wireRooms.js';

/** A service whose parts are connected but not started. */
export interface WiredService {
  /** The root of all actors. */
  instance: InstanceActor;
  /** The actor that counts. Throws if this instance does not lead. */
  activation: () => ActivationActor;
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
  let current: Fleet | undefined;
  const fleet = () => {
    if (!current) throw new Error('this instance does not lead');
    return current;
  };
  const activation = () => fleet().activation;
  // No larger answer is read, so a server's room names cannot be longer than this together.
  const limits = { maxRooms: config.maxRoomsPerServer, maxNamesLength: config.maxSnapshotBytes };
  const onHeard = (server: ServerId) => {
    current?.view.noteHeard(server);
    current?.discovery.noteHeard(server);
  };
  const pubSub = wirePubSub({
    config,
    log,
    ownPort,
    snapshotLimits: limits,
    lookup: needs.lookup,
    activation,
    onHeard,
    clock: needs.clock,
  });
  const { book, pubSubServers, agents, roomPosts } = pubSub;
  const observations = new Observations({
    log,
    table: store.observations,
    totals: () => activation().getSnapshot().context.tally.totals,
    watching: () => fleet().view.watching(),
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
      if (instance.getSnapshot().status === 'active') instance.send(event);
    },
    servers: memory ?? store.servers,
  });
  const inspector = config.inspect ? new Inspector(log) : undefined;
  const forFleet = {
    config,
    log,
    store,
    servers: memory ?? store.servers,
    pubSub,
    run: randomBytes(6).toString('base64url'),
    discoveryIntervalMs: needs.discoveryIntervalMs,
    onChanged: () => observations.touch(),
    posted: postedTo(observations, rooms, roomPosts),
  };
  const instance = wireInstance({
    config,
    log,
    limits,
    activation: perLeadership((actor, { term }) =>
      wireFleet({ ...forFleet, term }, actor, (begun) => {
        current = begun;
        const { activation: counting, view, discovery } = begun;
        rooms.lead({
          activation: counting,
          counts: () => view.counts(),
          isGone: (server) => discovery.isGone(server),
          roomPosts,
        });
      }),
    ),
    room: rooms.machine,
    inspector,
    clock: needs.clock,
  });

  let isDraining = false;
  let saved: Promise<void> | undefined;
  const listener = wireHttp({
    config,
    log,
    publicUrl: needs.publicUrl,
    readTimeoutsMs: needs.readTimeoutsMs,
    isDraining: () => isDraining,
    instance,
    pubSub,
    fleet,
    observations,
    rooms,
    inspector,
  });
  const endStreams = () => {
    isDraining = true;
    current?.feed.close();
    rooms.endStreams();
    roomPosts.silence();
    inspector?.close();
    saved = observations.close();
  };
  const close = async () => {
    current?.close();
    instance.stop();
    roomPosts.close();
    pubSubServers.close();
    await rooms.close();
    await withDeadline(saved ?? observations.close(), saveTimeoutMs, () => undefined);
  };
  return { instance, activation, listener, endStreams, close };
}

/** Who is told of what servers post, besides the machine. */
function postedTo(observations: Observations, rooms: RoomParts, roomPosts: RoomPosts) {
  return {
    observe: (server: ServerId, deltas: readonly Delta[]) => {
      observations.take(deltas);
      roomPosts.noteDeltas(server, deltas);
    },
    takeUpdate: rooms.takeUpdate,
    takeContent: rooms.takeContent,
    noteLostContent: (server: ServerId) => roomPosts.noteRefusedPost(server),
  };
}
