import { randomBytes } from 'node:crypto';
import type Koa from 'koa';
import type { Logger } from 'pino';
import { createActor } from 'xstate';
import { type ActivationActor, activationMachine } from '../machines/activationMachine.js';
import type { Epoch, ServerId } from '../machines/ports.js';
import { pubSubServerMachine } from '../machines/pubSubServerMachine.js';
import { createServerRequests, PubSubServers } from './adapters/pubSubServers.js';
import { RequestPacer } from './adapters/requestPacer.js';
import { createApp } from './app.js';
import { AddressBook } from './callers/addressBook.js';
import { Callers } from './callers/callers.js';
import { EventTokens } from './callers/eventTokens.js';
import type { Config } from './config.js';
import { createDiscovery, Discovery } from './discovery/discovery.js';
import { sourcesFor } from './discovery/sources.js';
import { FleetView } from './fleetView.js';
import { Feed } from './sse/feed.js';
import type { Store } from './store/store.js';
import { roomTiming, wireRooms } from './wiringRooms.js';

/** The parts of a service that is put together but not started. */
export interface Wired {
  actor: ActivationActor;
  app: Koa;
  /** Ends every event stream and refuses new ones; `/ready` answers 503. */
  endStreams: () => void;
  /** Ends every timer, stream and request. */
  close: () => Promise<void>;
}

export interface WiringNeeds {
  config: Config;
  log: Logger;
  /** What pub-sub servers call back, without a slash at its end. */
  publicUrl: string;
  ownPort: number;
  /** Closed by whoever opened it. */
  store: Store;
  /** Time between two rounds of discovery; for tests to shorten. */
  discoveryIntervalMs?: number | undefined;
}

/** How long a sender may take for its body; docs/protocol.md names it. */
const bodyTimeoutMs = 10_000;

/** Fills the machines' slots with what acts, and the routes' needs with the machine. */
export function wire(needs: WiringNeeds): Wired {
  const { config, log, publicUrl, ownPort, store, discoveryIntervalMs } = needs;
  const stop = new AbortController();
  const tokens = new EventTokens();
  const pacer = new RequestPacer();
  const book = new AddressBook({ networks: config.pubSubNetworks, ownPort });
  const urlOf = (token: string) => `${publicUrl}/api/events${token && `?token=${token}`}`;
  const eventsUrl = (server: ServerId, epoch: Epoch) =>
    urlOf(tokens.mint({ kind: 'server', server, epoch, fromStartup: false }));

  const requests = new PubSubServers({
    requestTimeoutMs: config.requestTimeoutMs,
    maxSnapshotBytes: config.maxSnapshotBytes,
    eventsUrl,
    mayContact: (address, port) => book.mayContact(address, port),
    onResolved: (server, addresses) => book.note(server, addresses),
    onHeard: (server) => view.noteHeard(server),
  });
  const serverRequests = createServerRequests(requests, pacer);
  const pubSubServer = pubSubServerMachine.provide({ actors: { serverRequests } });
  const discovery = new Discovery({
    log,
    sources: sourcesFor(config, store),
    servers: store.servers,
    configured: config.pubSubServers,
    mayContact: (address, port) => book.mayContact(address, port),
    intervalMs: discoveryIntervalMs,
  });
  const rooms = wireRooms({ config, log, store, book, servers: requests, actor: () => actor });
  const machine = activationMachine.provide({
    actors: { pubSubServer, discovery: createDiscovery(discovery), room: rooms.machine },
    actions: {
      publish: () => feed.publish(),
      restartFeed: () => feed.restart(),
      reportDefect: ({ event }) => log.error({ event }, 'the actor of a pub-sub server failed'),
    },
  });
  const timing = { ...config, room: roomTiming };
  const actor = createActor(machine, { input: { timing, servers: config.pubSubServers } });
  const view = new FleetView(actor, log);
  const run = randomBytes(6).toString('base64url');
  const feed = new Feed(view, { run, frameIntervalMs: config.frameIntervalMs });

  const silenceStranger = (server: ServerId) => {
    const epoch = actor.getSnapshot().context.tally.nextEpoch();
    const silence = async () => {
      try {
        await requests.silence(server, epoch, stop.signal);
        actor.send({ type: 'servers.found', servers: [server], standing: 'candidate' });
      } catch (error) {
        log.debug({ server, err: error }, 'an unknown poster is no pub-sub server');
      }
    };
    pacer.run(silence, stop.signal);
  };
  const callers = new Callers({
    actor,
    book,
    tokens,
    urlOf,
    silenceStranger,
    pubSubPort: config.pubSubPort,
    onHeard: (server) => view.noteHeard(server),
    takeUpdate: (room, update) => rooms.updates.take(room, update),
  });

  let isDraining = false;
  const app = createApp({
    log,
    tokens,
    feed,
    viewerToken: config.auth === 'none' ? undefined : config.dashboardToken,
    corsOrigins: config.corsOrigins,
    maxBodyBytes: config.maxBodyBytes,
    bodyTimeoutMs,
    ...rooms.needs,
    maxViewers: config.maxViewers,
    viewers: () => feed.viewers + rooms.viewers(),
    isDraining: () => isDraining,
    takePosted: (claims, posted) => callers.take(claims, posted),
    noteLost: (claims) => callers.noteLost(claims),
    noteStranger: (address) => callers.noteStranger(address),
    answerStartup: (asker) => callers.answerStartup(asker),
    inactiveAnswer: () => callers.inactiveAnswer(),
    logDefect: (error) => log.error({ err: error }, 'start-up query failed'),
    viewerConnected: () => actor.send({ type: 'viewer.connected' }),
    viewerDisconnected: () => {
      // At the end the machine stops before the last stream has closed.
      if (actor.getSnapshot().status === 'active') actor.send({ type: 'viewer.disconnected' });
    },
    servers: () => view.servers(),
    state: () => view.state(),
    discovery: () => discovery.reports(),
  });

  return {
    actor,
    app,
    endStreams: () => {
      isDraining = true;
      feed.close();
      rooms.endStreams();
    },
    close: async () => {
      stop.abort();
      callers.close();
      feed.close();
      actor.stop();
      await rooms.close();
    },
  };
}
