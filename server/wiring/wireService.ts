import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import { type ActorOptions, type AnyActorLogic, createActor } from 'xstate';
import { type ActivationActor, activationMachine } from '../../machines/activationMachine.js';
import type { ServerId } from '../../machines/ports.js';
import { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import type { Config } from '../config/config.js';
import { createDiscovery, Discovery } from '../discovery/discovery.js';
import { sourcesFor } from '../discovery/sources.js';
import { Feed } from '../fleet/feed.js';
import { FleetLog } from '../fleet/fleetLog.js';
import { FleetView } from '../fleet/fleetView.js';
import { createListener } from '../http/app.js';
import { Hosts } from '../http/auth/hosts.js';
import { ViewerAddresses } from '../http/guards/admission.js';
import type { ReadTimeouts } from '../http/guards/slowReaders.js';
import { builtPage } from '../http/routes/page.js';
import { Inspector } from '../inspection/inspector.js';
import { Machines } from '../inspection/machines.js';
import { Observations } from '../observations/observations.js';
import { AddressBook } from '../pubsub/addressBook.js';
import { CallbackReceiver } from '../pubsub/callbackReceiver.js';
import { CallbackUrls, type Connection } from '../pubsub/callbackUrls.js';
import { EventTokens } from '../pubsub/eventTokens.js';
import { GivenCallbacks } from '../pubsub/givenCallbacks.js';
import {
  createServerRequests,
  type Instruction,
  PubSubServers,
  type PubSubServersNeeds,
} from '../pubsub/pubSubServers.js';
import { RequestPacer } from '../pubsub/requestPacer.js';
import type { ServersTable, Store } from '../store/store.js';
import { withDeadline } from '../timing/withDeadline.js';
import { roomTiming, wireRooms } from './wireRooms.js';

/** The parts of a service that is put together but not started. */
export interface Wired {
  actor: ActivationActor;
  /** Answers every request. */
  listener: RequestListener;
  /** Ends every event stream and refuses new ones; `/ready` answers 503. */
  endStreams: () => void;
  /** Ends every timer, stream and request. */
  close: () => Promise<void>;
}

export interface WiringNeeds {
  config: Config;
  log: Logger;
  /** Where viewers find this service, as far as it knows, without a slash at its end. */
  publicUrl: string;
  ownPort: number;
  /** Closed by whoever opened it. */
  store: Store;
  /** Where servers that were found by a start-up query are remembered; the store's table unless told. */
  memory?: ServersTable | undefined;
  /** Time between two rounds of discovery; for tests to shorten. */
  discoveryIntervalMs?: number | undefined;
  /** What the machines' delays go by; for tests to turn by hand. */
  clock?: ActorOptions<AnyActorLogic>['clock'] | undefined;
  /** How long an answer may take to be read; for tests to shorten. */
  readTimeoutsMs?: ReadTimeouts | undefined;
  /** How host names of pub-sub servers are resolved; for tests to ask name servers of their own. */
  lookup?: PubSubServersNeeds['lookup'] | undefined;
}

/** How long a sender may take for its body; docs/protocol.md names it. */
const bodyTimeoutMs = 10_000;
/** How long the end waits for what was observed to be saved. */
const savingMs = 1000;
/** How long a client may take to read an answer. */
const readTimeoutsMs: ReadTimeouts = { stalled: 60_000, whole: 10 * 60_000 };

/** Fills the machines' slots with what acts, and the routes' needs with the machine. */
export function wire(needs: WiringNeeds): Wired {
  const { config, log, publicUrl, ownPort, store, memory, discoveryIntervalMs, clock, lookup } =
    needs;
  const tokens = new EventTokens();
  const pacer = new RequestPacer();
  const book = new AddressBook({ networks: config.pubSubNetworks, ownPort });
  const urls = new CallbackUrls({ publicUrl: config.publicUrl, host: config.host, port: ownPort });
  const callbacks = new GivenCallbacks(log);
  const eventsUrl = (server: ServerId, { active, epoch }: Instruction, connection: Connection) => {
    const token = tokens.mint({ kind: 'server', server, epoch, fromStartup: false });
    const urlFor = () => urls.urlFor(connection);
    const url = active ? callbacks.note(server, urlFor) : urls.anyFor(connection);
    return `${url}?token=${token}`;
  };

  // An answer of that size is the most that can hold names.
  const limits = {
    maxRooms: config.maxRoomsPerServer,
    maxNamesLength: config.maxSnapshotBytes,
  };
  const requests = new PubSubServers({
    requestTimeoutMs: config.requestTimeoutMs,
    maxSnapshotBytes: config.maxSnapshotBytes,
    snapshotLimits: limits,
    isProven: (server) => actor.getSnapshot().context.roster.get(server)?.standing !== 'candidate',
    eventsUrl,
    mayContact: (address, port) => book.mayContact(address, port),
    onResolved: (server, addresses) => book.note(server, addresses),
    ...(lookup && { lookup }),
    onHeard: (server) => {
      view.noteHeard(server);
      discovery.noteHeard(server);
    },
  });
  const serverRequests = createServerRequests(requests, pacer);
  const pubSubServer = pubSubServerMachine.provide({ actors: { serverRequests } });
  const discovery = new Discovery({
    log,
    sources: sourcesFor(config, store),
    servers: memory ?? store.servers,
    configured: config.pubSubServers,
    mayContact: (address, port) => book.mayContact(address, port),
    intervalMs: discoveryIntervalMs,
  });
  const observations = new Observations({
    log,
    table: store.observations,
    totals: () => actor.getSnapshot().context.tally.totals,
    watching: () => view.watching(),
  });
  const rooms = wireRooms({
    config,
    log,
    store,
    book,
    servers: requests,
    counts: () => view.counts(),
    observations,
    actor: () => actor,
    isGone: (server) => discovery.isGone(server),
  });
  const machine = activationMachine.provide({
    actors: { pubSubServer, discovery: createDiscovery(discovery), room: rooms.machine },
    actions: {
      publish: () => {
        feed.publish();
        observations.touch();
      },
      restartFeed: () => feed.restart(),
      reportDefect: ({ event }) => {
        if (!('actorId' in event && 'error' in event)) return;
        log.error({ err: event.error, actorId: event.actorId }, 'an actor failed');
      },
    },
  });
  // These and no more: contexts are shown to viewers, and the configuration has secrets.
  const { lingerMs, requestTimeoutMs, probeIntervalMs, resyncIntervalMs } = config;
  const timing = {
    lingerMs,
    requestTimeoutMs,
    probeIntervalMs,
    resyncIntervalMs,
    room: roomTiming,
  };
  const inspector = config.inspect ? new Inspector(log) : undefined;
  const actor = createActor(machine, {
    id: machine.id,
    input: { timing, servers: config.pubSubServers, limits },
    ...(inspector && { inspect: inspector.observe }),
    ...(clock && { clock }),
  });
  const view = new FleetView(actor, {
    callbackOf: (server) => callbacks.of(server),
    areSourcesHeard: () => discovery.areSourcesHeard,
  });
  const configured = new Set<string>(config.pubSubServers);
  const fleetLog = new FleetLog({
    log,
    isConfigured: (server) => configured.has(server),
    state: () => view.state(),
  });
  fleetLog.follow(actor);
  const run = randomBytes(6).toString('base64url');
  const feed = new Feed(view, {
    run,
    frameIntervalMs: config.frameIntervalMs,
    onServersChanged: (servers) => fleetLog.noteServers(servers),
  });

  const receiver = new CallbackReceiver({
    actor,
    book,
    tokens,
    urlOf: (token, { address, localAddress }) => {
      const url = urls.reachableUrlFor({ localAddress, remoteAddress: address });
      return url && `${url}?token=${token}`;
    },
    unusedUrl: urls.anyFor(),
    pubSubPort: config.pubSubPort,
    resyncIntervalMs: config.resyncIntervalMs,
    onHeard: (server) => view.noteHeard(server),
    observe: (deltas) => observations.take(deltas),
    takeUpdate: (room, update) => rooms.updates.take(room, update),
  });

  let isDraining = false;
  let observed: Promise<void> | undefined;
  const viewerToken = config.auth === 'none' ? undefined : config.dashboardToken;
  const listener = createListener({
    log,
    tokens,
    feed,
    viewerToken,
    trustedProxies: config.trustedProxies,
    hosts: new Hosts({
      allowedHosts: config.allowedHosts,
      publicUrl,
      isTokenRequired: viewerToken !== undefined,
      trustedProxies: config.trustedProxies,
    }),
    corsOrigins: config.corsOrigins,
    maxBodyBytes: config.maxBodyBytes,
    bodyTimeoutMs,
    readTimeoutsMs: needs.readTimeoutsMs ?? readTimeoutsMs,
    ...rooms.needs,
    maxViewers: config.maxViewers,
    addresses: new ViewerAddresses(config.maxViewersPerAddress),
    inspector,
    machines: new Machines(actor),
    viewers: () => feed.viewers + rooms.viewers() + (inspector?.viewers ?? 0),
    isDraining: () => isDraining,
    takePosted: (claims, posted) => receiver.take(claims, posted),
    noteLost: (claims) => receiver.noteLost(claims),
    noteStranger: (address) => receiver.noteStranger(address),
    answerStartup: (query) => receiver.answerStartup(query),
    inactiveAnswer: () => receiver.inactiveAnswer(),
    logDefect: (error) => log.error({ err: error }, 'start-up query failed'),
    viewerConnected: () => actor.send({ type: 'viewer.connected' }),
    viewerDisconnected: () => {
      // At the end the machine stops before the last stream has closed.
      if (actor.getSnapshot().status === 'active') actor.send({ type: 'viewer.disconnected' });
    },
    servers: () => view.servers(),
    pageFiles: builtPage(),
    countsOf: (room) => view.countsOf(room),
    observations: () => observations.report(),
    state: () => view.state(),
    discovery: () => discovery.reports(),
  });

  return {
    actor,
    listener,
    endStreams: () => {
      isDraining = true;
      feed.close();
      rooms.endStreams();
      inspector?.close();
      observed = observations.close();
    },
    close: async () => {
      receiver.close();
      feed.close();
      actor.stop();
      requests.close();
      await rooms.close();
      await withDeadline(observed ?? observations.close(), savingMs, () => undefined);
    },
  };
}
