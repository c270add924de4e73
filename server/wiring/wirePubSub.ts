import type { Logger } from 'pino';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { ServerId } from '../../machines/ports.js';
import { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import { hostAndPort } from '../addresses.js';
import type { Config } from '../config/config.js';
import { AddressBook } from '../pubsub/addressBook.js';
import { AdvertisedHosts } from '../pubsub/advertisedHosts.js';
import { AgentInfos } from '../pubsub/agentInfo.js';
import { CallbackReceiver, type CallbackReceiverNeeds } from '../pubsub/callbackReceiver.js';
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
import { RoomPosts } from '../pubsub/roomPosts.js';
import type { DelayClock } from '../pubsub/serverRoomList.js';
import { Signatures } from '../pubsub/signatures.js';
import { SignedQueries } from '../pubsub/signedQueries.js';
import type { Answered } from '../pubsub/startupQueries.js';
import type { QueryHead, StartupQuery } from '../pubsub/startupQuery.js';

/** What requests to pub-sub servers need from the rest of the service. */
export interface PubSubWiringNeeds {
  config: Config;
  log: Logger;
  ownPort: number;
  snapshotLimits: PubSubServersNeeds['snapshotLimits'];
  lookup: PubSubServersNeeds['lookup'] | undefined;
  /** Called only while the machine runs, because the machine of a server is one of its parts. */
  activation: () => ActivationActor;
  /** A server answered. */
  onHeard: (server: ServerId) => void;
  clock: DelayClock | undefined;
}

/** The parts that contact pub-sub servers, and that pub-sub servers call back. */
export type PubSubParts = ReturnType<typeof wirePubSub>;

/** Creates what contacts pub-sub servers, and fills the slots of a server's machine with it. */
export function wirePubSub(needs: PubSubWiringNeeds) {
  const { config, log, ownPort, snapshotLimits, lookup, activation, onHeard, clock } = needs;
  const tokens = new EventTokens();
  const book = new AddressBook({ networks: config.pubSubNetworks, ownPort });
  const urls = new CallbackUrls({ publicUrl: config.publicUrl, host: config.host, port: ownPort });
  const callbacks = new GivenCallbacks(log);
  const agents = new AgentInfos((server, change) => roomPosts.noteAgent(server, change));
  const eventsUrl = (server: ServerId, { active, epoch }: Instruction, connection: Connection) => {
    const token = tokens.mint({ kind: 'server', server, epoch, fromStartup: false });
    const urlFor = () => urls.urlFor(connection);
    const url = active ? callbacks.note(server, urlFor) : urls.anyFor(connection);
    return `${url}?token=${token}`;
  };
  const { pubSubSecrets, pubSubTls, pubSubCa } = config;
  const signatures = pubSubSecrets && new Signatures(pubSubSecrets);
  const pubSubServers = new PubSubServers({
    sign: signatures && ((request) => signatures.sign(request)),
    tls: pubSubTls ? { ca: pubSubCa } : undefined,
    requestTimeoutMs: config.requestTimeoutMs,
    maxSnapshotBytes: config.maxSnapshotBytes,
    snapshotLimits,
    isProven: (server) =>
      activation().getSnapshot().context.roster.get(server)?.standing !== 'candidate',
    eventsUrl,
    contentUrl: (server, connection) =>
      `${urls.urlFor(connection)}?token=${tokens.mint({ kind: 'content', server })}`,
    mayContact: (address, port) => book.mayContact(address, port),
    onResolved: (server, addresses) => book.note(server, addresses),
    ...(lookup && { lookup }),
    onHeard,
    onSnapshot: (server, snapshot) => roomPosts.noteSnapshot(server, snapshot),
    noteAgent: (server, header) => agents.noteHeader(server, header),
  });
  const pacer = new RequestPacer();
  const serverRequests = createServerRequests(pubSubServers, pacer);
  const machine = pubSubServerMachine.provide({ actors: { serverRequests } });
  const roomPosts: RoomPosts = new RoomPosts({
    send: (server, rooms, { signal, isRetry }) => {
      const { host } = hostAndPort(server);
      const lastResult = isRetry ? 'failed' : 'answered';
      return new Promise((resolve, reject) => {
        const task = () => pubSubServers.watchRooms(server, rooms, signal).then(resolve, reject);
        pacer.run(task, { host, lastResult, signal });
      });
    },
    isAble: (server) => agents.supports(server, 'rooms'),
    requestTimeoutMs: config.requestTimeoutMs,
    onFailed: (server, { message }) =>
      log.warn({ server, cause: message }, 'a pub-sub server is not told which rooms to post'),
    clock,
  });
  const advertisedHosts = new AdvertisedHosts({ lookup });
  const addressesOf = (host: string) => advertisedHosts.addressesOf(host);
  const signedQueries = signatures && new SignedQueries({ signatures, addressesOf, log });
  const parts = { machine, pubSubServers, tokens, book, urls, callbacks, agents, roomPosts };
  return { ...parts, advertisedHosts, signedQueries };
}

/** What takes the posts and start-up queries of pub-sub servers needs, apart from `PubSubParts`. */
export type ReceiverWiringNeeds = Pick<
  CallbackReceiverNeeds,
  'actor' | 'onHeard' | 'observe' | 'takeUpdate' | 'takeContent' | 'noteLostContent'
> & {
  config: Config;
  pubSub: PubSubParts;
};

/** Creates what takes the posts and start-up queries of pub-sub servers. */
export function wireReceiver({ config, pubSub, ...needs }: ReceiverWiringNeeds): CallbackReceiver {
  const { book, tokens, urls, agents } = pubSub;
  return new CallbackReceiver({
    ...needs,
    book,
    tokens,
    urlOf: (token, { address, localAddress }) => {
      const url = urls.reachableUrlFor({ localAddress, remoteAddress: address });
      return url && `${url}?token=${token}`;
    },
    unusedUrl: urls.anyFor(),
    takesStrangers: config.pubSubSecrets === undefined,
    runOf: (server) => agents.get(server)?.run,
    pubSubPort: config.pubSubPort,
    resyncIntervalMs: config.resyncIntervalMs,
  });
}

/** Answers start-up queries, once it is known whether they are signed and what host their sender has. */
export function wireStartup(
  receiver: () => CallbackReceiver,
  { advertisedHosts, signedQueries }: PubSubParts,
) {
  return async (query: StartupQuery, head: QueryHead): Promise<Answered> => {
    const isSigned = (await signedQueries?.isSigned(query, head)) ?? false;
    if (signedQueries && !isSigned)
      return { answer: receiver().inactiveAnswer(), afterwards: () => {} };
    // Nobody but its server can have sent a signed query, under whatever name.
    const known = isSigned ? { ...query, isMisnamed: false } : query;
    const { address, isForwarded } = query;
    if (head.advertised === undefined || (isForwarded && !isSigned))
      return receiver().answerStartup(known);
    const advertised = await advertisedHosts.find(head.advertised, { address, isSigned });
    return receiver().answerStartup({ ...known, advertised });
  };
}
