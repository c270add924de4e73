import type { Logger } from 'pino';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { ServerId } from '../../machines/ports.js';
import { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import { hostAndPort } from '../addresses.js';
import type { Config } from '../config/config.js';
import { CallbackReceiver, type CallbackReceiverNeeds } from '../pubsub/callbackReceiver.js';
import type { Connection } from '../pubsub/callbackUrls.js';
import type { EventTokens } from '../pubsub/eventTokens.js';
import { GivenCallbacks } from '../pubsub/givenCallbacks.js';
import {
  createServerRequests,
  type Instruction,
  PubSubServers,
  type PubSubServersNeeds,
} from '../pubsub/pubSubServers.js';
import { metered, type RequestMeter } from '../pubsub/requestMeter.js';
import { RequestPacer } from '../pubsub/requestPacer.js';
import { RoomPosts } from '../pubsub/roomPosts.js';
import type { DelayClock } from '../pubsub/serverRoomList.js';
import { Broadcasts } from '../tracing/broadcasts.js';
import type { ServerParts } from './wireServers.js';

/** What requests to pub-sub servers need from the rest of the instance. */
export interface PubSubWiringNeeds {
  config: Config;
  log: Logger;
  servers: ServerParts;
  /** Those of this leadership. */
  tokens: EventTokens;
  activation: ActivationActor;
  /** A server answered. */
  onHeard: (server: ServerId) => void;
  clock: DelayClock | undefined;
  meter: RequestMeter;
  /** How many times this process was paused. */
  pauses: () => number;
  /** In a cluster: whether this instance may act. */
  leading?: Pick<PubSubServersNeeds, 'mayAct' | 'renewLease' | 'reach'> | undefined;
}

/** The parts that contact pub-sub servers. They end with the leadership. */
export type PubSubParts = ReturnType<typeof wirePubSub>;

/** Creates what contacts pub-sub servers, and fills the slots of a server's machine with it. */
export function wirePubSub(needs: PubSubWiringNeeds) {
  const { config, log, servers, tokens, activation, onHeard, clock, leading, meter } = needs;
  const { urls, agents } = servers;
  const callbacks = new GivenCallbacks(log);
  const eventsUrl = (server: ServerId, { active, epoch }: Instruction, connection: Connection) => {
    const token = tokens.mint({ kind: 'server', server, epoch, fromStartup: false });
    const urlFor = () => urls.urlFor(connection);
    const url = active ? callbacks.note(server, urlFor) : urls.anyFor(connection);
    return `${url}?token=${token}`;
  };
  const pubSubServers = new PubSubServers({
    ...servers.http,
    ...leading,
    maxSnapshotBytes: config.maxSnapshotBytes,
    snapshotLimits: limitsOf(config),
    isProven: (server) =>
      activation.getSnapshot().context.roster.get(server)?.standing !== 'candidate',
    eventsUrl,
    contentUrl: (server, connection, receiver) =>
      `${urls.urlFor(connection)}?token=${tokens.mint({ kind: 'content', server, receiver })}`,
    onHeard,
    onSnapshot: (server, snapshot) => roomPosts.noteSnapshot(server, snapshot),
    noteAgent: (server, header) => agents.noteHeader(server, header),
  });
  const pacer = new RequestPacer();
  const { tracing } = servers.http;
  const broadcasts = tracing && new Broadcasts(tracing, activation);
  const { pauses } = needs;
  const serverRequests = createServerRequests(pubSubServers, pacer, { meter, broadcasts, pauses });
  const machine = pubSubServerMachine.provide({ actors: { serverRequests } });
  const roomPosts: RoomPosts = new RoomPosts({
    send: (server, rooms, { signal, isRetry, receiver }) => {
      const { host } = hostAndPort(server);
      const lastResult = isRetry ? 'failed' : 'answered';
      const ask = () => pubSubServers.watchRooms(server, rooms, { signal, receiver });
      return new Promise((resolve, reject) => {
        const asked = { server, request: 'rooms' } as const;
        const task = () => metered(ask, asked, { meter, signal }).then(resolve, reject);
        pacer.run(task, { host, lastResult, signal });
      });
    },
    isAble: (server) => agents.supports(server, 'rooms'),
    requestTimeoutMs: config.requestTimeoutMs,
    onFailed: (server, { message }) =>
      log.warn({ server, cause: message }, 'a pub-sub server is not told which rooms to post'),
    clock,
  });
  return { machine, pubSubServers, pacer, callbacks, roomPosts };
}

/** No larger answer is read, so a server's room names cannot be longer than this together. */
export const limitsOf = ({ maxRoomsPerServer, maxSnapshotBytes }: Config) => ({
  maxRooms: maxRoomsPerServer,
  maxNamesLength: maxSnapshotBytes,
});

/** What takes the posts and start-up queries of pub-sub servers needs, apart from the parts above. */
export type ReceiverWiringNeeds = Pick<
  CallbackReceiverNeeds,
  | 'actor'
  | 'tokens'
  | 'noteNewcomer'
  | 'onHeard'
  | 'onBatch'
  | 'observe'
  | 'takeUpdate'
  | 'takeContent'
  | 'noteLostContent'
> & {
  config: Config;
  servers: ServerParts;
};

/** Creates what takes the posts and start-up queries of pub-sub servers. */
export function wireReceiver({ config, servers, ...needs }: ReceiverWiringNeeds): CallbackReceiver {
  const { book, urls, agents } = servers;
  return new CallbackReceiver({
    ...needs,
    book,
    urlOf: (token, { address, localAddress, postsUrl }) => {
      const url = postsUrl ?? urls.reachableUrlFor({ localAddress, remoteAddress: address });
      return url && `${url}?token=${token}`;
    },
    unusedUrl: urls.anyFor(),
    takesStrangers: config.pubSubSecrets === undefined,
    runOf: (server) => agents.get(server)?.run,
    pubSubPort: config.pubSubPort,
    resyncIntervalMs: config.resyncIntervalMs,
  });
}
