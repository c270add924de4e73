import type { Logger } from 'pino';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { ActivationInput } from '../../machines/activationSetup.js';
import type { ServerId, Term } from '../../machines/ports.js';
import type { Config } from '../config/config.js';
import { Discovery } from '../discovery/discovery.js';
import { sourcesFor } from '../discovery/sources.js';
import { Feed, type ResumeCounts } from '../fleet/feed.js';
import { FleetLog } from '../fleet/fleetLog.js';
import { FleetView } from '../fleet/fleetView.js';
import type { CallbackReceiver } from '../pubsub/callbackReceiver.js';
import type { Batch } from '../pubsub/deltaInbox.js';
import type { RequestMeter } from '../pubsub/requestMeter.js';
import type { DelayClock } from '../pubsub/serverRoomList.js';
import type { ServersTable, Store } from '../store/store.js';
import type { ServerView } from '../wire/serverView.js';
import type { Opening } from './perLeadership.js';
import { wireActivation } from './wireActivation.js';
import type { Leadership } from './wireLeadership.js';
import {
  type PubSubParts,
  type ReceiverWiringNeeds,
  wirePubSub,
  wireReceiver,
} from './wirePubSub.js';
import type { ServerParts } from './wireServers.js';

/** Everything that an instance has only while it is alone or leads. It ends with the leadership. */
export interface Fleet {
  /** Undefined: there is no cluster. */
  readonly term: Term | undefined;
  readonly activation: ActivationActor;
  readonly discovery: Discovery;
  readonly view: FleetView;
  readonly feed: Feed;
  readonly receiver: CallbackReceiver;
  readonly pubSub: PubSubParts;
  /** Ends every timer, stream and request. Requests to pub-sub servers end first. */
  close(): void;
}

/** What is told of what a fleet does. */
export interface FleetMeters {
  meter: RequestMeter;
  onBatch: (batch: Batch) => void;
  onFlushed: (hasRooms: boolean) => void;
  resumes: ResumeCounts;
}

/** What a fleet needs from the rest of the instance. */
export interface FleetWiringNeeds {
  config: Config;
  log: Logger;
  store: Store;
  /** Remembers the servers that no source names. */
  remembered: ServersTable;
  servers: ServerParts;
  /** Begins every event id; in a cluster the term does. */
  run: string;
  discoveryIntervalMs: number | undefined;
  clock: DelayClock | undefined;
  /** How many times this process was paused. */
  pauses: () => number;
  meters: FleetMeters;
  /** Something that viewers see changed. */
  onChanged: () => void;
  /** Called with servers that changed. */
  onServersChanged: (servers: readonly ServerView[]) => void;
  /** Called with what servers post. */
  posted: Pick<ReceiverWiringNeeds, 'observe' | 'takeUpdate' | 'takeContent' | 'noteLostContent'>;
}

/** The leadership that a fleet belongs to. */
export interface FleetScope {
  activation: ActivationActor;
  term: Term | undefined;
  begins: ActivationInput['begins'] | undefined;
  /** Undefined: there is no cluster. */
  leadership: Leadership | undefined;
  /** The fleet is complete. */
  onBegun: (fleet: Fleet) => void;
}

/** Puts together what contacts the pub-sub servers and counts. */
export function wireFleet(needs: FleetWiringNeeds, scope: FleetScope): Opening {
  const { config, log, servers } = needs;
  const { activation, term, leadership } = scope;
  const tokens = term === undefined ? servers.tokens : servers.tokens.withTerm(term);
  // The parts below are needed only once the machine runs.
  let feed: Feed | undefined;
  let view: FleetView | undefined;
  const onHeard = (server: ServerId) => {
    view?.noteHeard(server);
    discovery.noteHeard(server);
  };
  const { clock } = needs;
  const leading = leadership?.requests;
  const { meter, onBatch } = needs.meters;
  const pubSub = wirePubSub({
    config,
    log,
    servers,
    tokens,
    activation,
    onHeard,
    clock,
    leading,
    meter,
    pauses: needs.pauses,
  });
  const discovery = discoveryOf(needs, leadership !== undefined);
  const machine = wireActivation({
    log,
    pubSubServer: pubSub.machine,
    discovery,
    publish: () => {
      feed?.publish();
      needs.onChanged();
    },
    restartFeed: () => feed?.restart(),
  });
  const begin = () => {
    view = viewOf(needs, scope, { discovery, pubSub });
    const begun = feedOf(needs, scope, view);
    feed = begun;
    const receiver = wireReceiver({
      ...needs.posted,
      config,
      servers,
      tokens,
      actor: activation,
      onHeard: view.noteHeard.bind(view),
      onBatch,
      noteNewcomer: leadership?.noteNewcomer,
    });
    const close = () => {
      pubSub.pubSubServers.close();
      pubSub.roomPosts.close();
      leadership?.close();
      receiver.close();
      begun.close();
    };
    const fleet = { term, activation, discovery, view, feed: begun, receiver, pubSub, close };
    const publish = () => {
      begun.publish();
      needs.onChanged();
    };
    leadership?.begin({ receiver, pacer: pubSub.pacer, publish });
    scope.onBegun(fleet);
  };
  return { machine, begin };
}

function discoveryOf(needs: FleetWiringNeeds, waitsForRemembered: boolean): Discovery {
  const { config, log, store, remembered, servers } = needs;
  return new Discovery({
    log,
    sources: sourcesFor(config, store),
    servers: remembered,
    waitsForRemembered,
    configured: config.pubSubServers,
    mayContact: (address, port) => servers.book.mayContact(address, port),
    pauses: needs.pauses,
    intervalMs: needs.discoveryIntervalMs,
  });
}

function viewOf(
  { servers: { agents } }: FleetWiringNeeds,
  { activation, leadership }: FleetScope,
  { discovery, pubSub }: { discovery: Discovery; pubSub: PubSubParts },
): FleetView {
  return new FleetView(activation, {
    callbackOf: (server) => pubSub.callbacks.of(server),
    agentOf: (server) => agents.get(server),
    onGone: (server) => agents.forget(server),
    haveSourcesAnswered: () =>
      discovery.haveSourcesAnswered && (leadership?.hasReadInbox() ?? true),
    ...(leadership && { viewers: () => leadership.viewers() }),
  });
}

/** The feed, and what logs the fleet as it changes. */
function feedOf(
  { config, log, run, meters, onServersChanged }: FleetWiringNeeds,
  { activation, term, begins }: FleetScope,
  view: FleetView,
): Feed {
  const configured = new Set<string>(config.pubSubServers);
  const fleetLog = new FleetLog({
    log,
    isConfigured: (server) => configured.has(server),
    state: () => view.state(),
  });
  fleetLog.follow(activation);
  const forInstances = { isTakeover: begins === 'lingering', detail: () => view.detail };
  return new Feed(view, {
    run: term === undefined ? run : String(term),
    frameIntervalMs: config.frameIntervalMs,
    onServersChanged: (servers) => {
      fleetLog.noteServers(servers);
      onServersChanged(servers);
    },
    onFlushed: meters.onFlushed,
    // In a cluster, viewers are served by relays.
    ...(term === undefined ? { resumes: meters.resumes } : { forInstances }),
  });
}
