import type Router from '@koa/router';
import type { Logger } from 'pino';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { RoomName, ServerId } from '../../machines/ports.js';
import { roomMachine } from '../../machines/roomMachine.js';
import type { InstanceRequests, Peer } from '../cluster/instanceRequests.js';
import type { Config } from '../config/config.js';
import type { Dependency } from '../dependencies/dependencies.js';
import { Documents } from '../documents/documents.js';
import { RoomRefusals } from '../documents/roomRefusals.js';
import type { KnownCounts } from '../fleet/knownCounts.js';
import { noLeader } from '../http/forwardToLeader.js';
import type { ConnectionNeeds } from '../http/routes/connections.js';
import { instanceRoomRoutes } from '../http/routes/instanceRooms.js';
import type { RoomStreamNeeds } from '../http/routes/roomStreams.js';
import type { RoomNeeds } from '../http/routes/rooms.js';
import { filledConnections } from '../observations/filledConnections.js';
import type { Observations } from '../observations/observations.js';
import type { AddressBook } from '../pubsub/addressBook.js';
import type { PubSubHttpNeeds } from '../pubsub/pubSubHttp.js';
import type { RequestMeter } from '../pubsub/requestMeter.js';
import type { RoomPosts } from '../pubsub/roomPosts.js';
import { RoomStates } from '../pubsub/roomStates.js';
import { defaultTimeouts, RedisChannels } from '../redis/redisChannels.js';
import { FollowerFacts } from '../rooms/instances/followerFacts.js';
import { leaderLink } from '../rooms/instances/leaderLink.js';
import { type LedFleet, RoomSources } from '../rooms/instances/roomSources.js';
import { DocumentWork } from '../rooms/lookup/documentWork.js';
import { LocalFleetFacts } from '../rooms/lookup/localFleetFacts.js';
import { RoomDirectory } from '../rooms/lookup/roomDirectory.js';
import { RoomList } from '../rooms/lookup/roomList.js';
import { ChannelNames } from '../rooms/watching/channelNames.js';
import { RoomWatches } from '../rooms/watching/roomWatches.js';
import { UpdatesFeed } from '../rooms/watching/updatesFeed.js';
import { sendIfActive } from '../sendIfActive.js';
import type { Store } from '../store/store.js';

/** Times of watched rooms, in milliseconds. */
export const roomTiming = { subscribingMs: 3000, checkMs: 5000, pollMs: 1000 };

/** What rooms need from the rest of the instance. */
export interface RoomWiringNeeds {
  config: Config;
  log: Logger;
  store: Store;
  book: AddressBook;
  /** How requests to pub-sub servers are made. */
  http: PubSubHttpNeeds;
  /** A server answered. */
  onHeard: (server: ServerId) => void;
  /** Is told of requests for documents. */
  meter: RequestMeter;
  /** Whether a server announced to this instance that it takes all names of rooms. */
  takesNames: (server: ServerId) => boolean;
  observations: Pick<Observations, 'roomSeen' | 'connections'>;
  /** Tells the instance's machine who watches rooms. */
  tell: (event: { type: 'room.watched' | 'room.unwatched'; room: RoomName }) => void;
  /** Servers that are configured or remembered, for rooms without a leader. */
  knownServers: () => Promise<readonly ServerId[]>;
  /** Asks other instances; undefined: there is no cluster. */
  requests?: InstanceRequests | undefined;
  /** The servers of a watched room began to differ; none: they agree again. */
  onDiverged: (room: RoomName, differing: readonly string[]) => void;
  /** Is told whether the Redis of the rooms answers. */
  redisHealth: Dependency | undefined;
}

/** The parts of a fleet, in the scope of a leadership, that rooms use. */
export interface RoomFleet {
  activation: ActivationActor;
  /** The current live counts. */
  counts: () => KnownCounts;
  /** Whether a server was removed because it did not answer. */
  isGone: (server: ServerId) => boolean;
  /** Its owner closes it. */
  roomPosts: RoomPosts;
}

/** The parts that know rooms. */
export type RoomParts = ReturnType<typeof wireRooms>;

/** Creates the parts that know rooms, and fills the slots of a room's machine with them. */
export function wireRooms(wiring: RoomWiringNeeds) {
  const { config, log, store, observations } = wiring;
  const { showContent, redisUrl, redisSentinelPassword: sentinelPassword } = config;
  const redis =
    redisUrl === undefined || !showContent
      ? undefined
      : new RedisChannels(redisUrl, log, {
          ...defaultTimeouts,
          sentinelPassword,
          dependency: wiring.redisHealth,
        });
  const channels = new ChannelNames({
    prefix: config.redisChannelPrefix,
    presenceSuffix: config.redisPresenceSuffix,
  });
  const documentsOptions = {
    maxRoomBytes: config.maxRoomBytes,
    refusals: new RoomRefusals(),
    onThreadLost: (error: Error, room: RoomName | undefined) =>
      log.error({ err: error, room }, 'the document thread ended'),
  };
  const documents = new Documents(documentsOptions);
  // A thread of its own: requests for a room must not delay watched rooms.
  const readOnce = new Documents(documentsOptions);
  const roomSeen = (room: RoomName) => observations.roomSeen(room);
  // Without a table in DynamoDB the store is embedded, and pub-sub servers do not write to it.
  const isStorePartial = config.dynamodbTable === undefined;
  const followerFacts = new FollowerFacts({
    remembered: wiring.knownServers,
    takesNames: wiring.takesNames,
    pubSubPort: config.pubSubPort,
    now: () => performance.now(),
  });
  const sources = new RoomSources(followerFacts);
  const directory = new RoomDirectory({
    facts: sources.facts,
    states: showContent ? statesOf(wiring) : undefined,
    rooms: store.rooms,
    isStorePartial,
    maxStateBytes: config.maxSnapshotBytes,
  });
  const led = () => {
    if (!sources.led) throw noLeader();
    return sources.led.fleet.facts;
  };
  const roomList = new RoomList({
    rooms: store.rooms,
    isStorePartial,
    isGone: (address) => led().isGone(address),
    totals: () => led().totals(),
    counts: () => led().counts(),
    roomSeen,
  });
  const { frameIntervalMs } = config;
  const watches = new RoomWatches({
    documents,
    directory,
    redis,
    posts: sources.channels,
    channels,
    frameIntervalMs,
    log,
    onDiverged: wiring.onDiverged,
  });
  const updates = new UpdatesFeed({ redis, channels, posted: sources.updates });
  const { roomChannel, roomSources, roomDocument } = watches;
  const machine = roomMachine.provide({
    actors: { roomChannel, roomSources, roomDocument },
    actions: {
      publishStanding: ({ context }, { standing }) =>
        watches.publishStanding(context.room, standing),
      publishChannel: ({ context }, { channel }) => watches.publishChannel(context.room, channel),
    },
  });
  const rooms: RoomNeeds = {
    roomList,
    directory,
    content: showContent ? { watches, documents: new DocumentWork(readOnce) } : undefined,
  };
  const roomStreams: RoomStreamNeeds = {
    directory,
    watches,
    roomWatched: (room) => wiring.tell({ type: 'room.watched', room }),
    roomUnwatched: (room) => wiring.tell({ type: 'room.unwatched', room }),
  };
  const connections: ConnectionNeeds = {
    connections: filledConnections(store.connections, () => observations.connections),
  };
  const ofContent = showContent
    ? { roomStreams, updates }
    : { roomStreams: undefined, updates: undefined };
  const routes = { rooms, connections, ...ofContent };
  const viewers = () => watches.viewers + updates.viewers;
  const endStreams = () => {
    watches.close();
    updates.close();
  };
  const close = async () => {
    endStreams();
    sources.close();
    redis?.close();
    await Promise.all([documents.close(), readOnce.close()]);
  };
  const { requests } = wiring;
  return {
    machine,
    routes,
    viewers,
    /** The rooms that are watched at this instance. */
    watched: () => watches.rooms,
    watchedRooms: () => watches.counts(),
    /** Connects to Redis. */
    start: () => redis?.keepOpen(),
    takeUpdate: sources.takeUpdate.bind(sources),
    takeContent: sources.takeContent.bind(sources),
    /** This instance leads from now on, and its activation has started. */
    lead: (fleet: RoomFleet) => sources.lead(ledFleet(wiring, fleet), directory),
    /** Another instance leads; undefined: nobody does. */
    follow: (leader: Peer | undefined) =>
      sources.follow(leader && requests && leaderLink(requests, leader)),
    /** The routes for other instances. */
    addInstanceRoutes: (router: Router) =>
      instanceRoomRoutes(router, {
        led: () => sources.led,
        bodyTimeoutMs,
        showsContent: showContent,
      }),
    endStreams,
    close,
  };
}

const statesOf = ({ http, onHeard, meter }: RoomWiringNeeds) =>
  new RoomStates({ ...http, onHeard, meter });

const bodyTimeoutMs = 5000;

function ledFleet(
  { book, takesNames, observations, config }: RoomWiringNeeds,
  { activation, counts, isGone, roomPosts }: RoomFleet,
): LedFleet {
  const facts = new LocalFleetFacts({
    fleet: () => activation.getSnapshot().context,
    book,
    counts,
    isGone,
    takesNames,
    roomSeen: (room) => observations.roomSeen(room),
    pubSubPort: config.pubSubPort,
  });
  // A viewer of updates is also a viewer of the fleet: servers post only while there is one.
  const onUpdatesWanted = (isWanted: boolean) => {
    sendIfActive(activation, { type: isWanted ? 'updates.watched' : 'updates.unwatched' });
    sendIfActive(activation, { type: isWanted ? 'viewer.connected' : 'viewer.disconnected' });
  };
  return { facts, posts: roomPosts, onUpdatesWanted };
}
