import type { Logger } from 'pino';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { ServerId, Term } from '../../machines/ports.js';
import type { Config } from '../config/config.js';
import { Discovery } from '../discovery/discovery.js';
import { sourcesFor } from '../discovery/sources.js';
import { Feed } from '../fleet/feed.js';
import { FleetLog } from '../fleet/fleetLog.js';
import { FleetView } from '../fleet/fleetView.js';
import type { CallbackReceiver } from '../pubsub/callbackReceiver.js';
import type { ServersTable, Store } from '../store/store.js';
import type { Opening } from './perLeadership.js';
import { wireActivation } from './wireActivation.js';
import { type PubSubParts, type ReceiverWiringNeeds, wireReceiver } from './wirePubSub.js';

/** Everything that only an instance has which is alone or leads. It ends with the leadership. */
export interface Fleet {
  /** Undefined: there is no cluster. */
  readonly term: Term | undefined;
  readonly activation: ActivationActor;
  readonly discovery: Discovery;
  readonly view: FleetView;
  readonly feed: Feed;
  readonly receiver: CallbackReceiver;
  /** Ends every timer, stream and request. */
  close(): void;
}

/** What a fleet needs from the rest of the instance. */
export interface FleetWiringNeeds {
  config: Config;
  log: Logger;
  store: Store;
  /** Remembers the servers that no source names. */
  servers: ServersTable;
  pubSub: PubSubParts;
  /** Begins every event id. */
  run: string;
  term: Term | undefined;
  discoveryIntervalMs: number | undefined;
  /** Something that viewers see changed. */
  onChanged: () => void;
  /** Called with what servers post. */
  posted: Pick<ReceiverWiringNeeds, 'observe' | 'takeUpdate' | 'takeContent' | 'noteLostContent'>;
}

/** Puts together what contacts the pub-sub servers and counts. `onBegun`: the fleet is complete. */
export function wireFleet(
  needs: FleetWiringNeeds,
  activation: ActivationActor,
  onBegun: (fleet: Fleet) => void,
): Opening {
  const { config, log, pubSub, term } = needs;
  const discovery = discoveryOf(needs);
  // The parts below are needed only once the machine runs.
  let feed: Feed | undefined;
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
    const view = viewOf(activation, discovery, pubSub);
    const fleetLog = fleetLogOf(config, log, view);
    fleetLog.follow(activation);
    const begun = new Feed(view, {
      run: needs.run,
      frameIntervalMs: config.frameIntervalMs,
      onServersChanged: (servers) => fleetLog.noteServers(servers),
    });
    feed = begun;
    const onHeard = (server: ServerId) => view.noteHeard(server);
    const receiver = wireReceiver({ config, pubSub, actor: activation, onHeard, ...needs.posted });
    const close = () => {
      receiver.close();
      begun.close();
    };
    onBegun({ term, activation, discovery, view, feed: begun, receiver, close });
  };
  return { machine, begin };
}

function discoveryOf({ config, log, store, servers, pubSub, ...needs }: FleetWiringNeeds) {
  return new Discovery({
    log,
    sources: sourcesFor(config, store),
    servers,
    configured: config.pubSubServers,
    mayContact: (address, port) => pubSub.book.mayContact(address, port),
    intervalMs: needs.discoveryIntervalMs,
  });
}

function viewOf(activation: ActivationActor, discovery: Discovery, pubSub: PubSubParts): FleetView {
  const { callbacks, agents } = pubSub;
  return new FleetView(activation, {
    callbackOf: (server) => callbacks.of(server),
    agentOf: (server) => agents.get(server),
    onGone: (server) => agents.forget(server),
    haveSourcesAnswered: () => discovery.haveSourcesAnswered,
  });
}

function fleetLogOf(config: Config, log: Logger, view: FleetView): FleetLog {
  const configured = new Set<string>(config.pubSubServers);
  return new FleetLog({
    log,
    isConfigured: (server) => configured.has(server),
    state: () => view.state(),
  });
}
