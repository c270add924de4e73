import type { Logger } from 'pino';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { InstanceActor } from '../../machines/instanceMachine.js';
import type { RoomName, ServerId } from '../../machines/ports.js';
import { roomMachine } from '../../machines/roomMachine.js';
import type { Config } from '../config/config.js';
import { Documents } from '../documents/documents.js';
import { RoomRefusals } from '../documents/roomRefusals.js';
import type { KnownCounts } from '../fleet/knownCounts.js';
import type { ConnectionNeeds } from '../http/routes/connections.js';
import type { RoomStreamNeeds } from '../http/routes/roomStreams.js';
import type { RoomNeeds } from '../http/routes/rooms.js';
import { filledConnections } from '../observations/filledConnections.js';
import type { Observations } from '../observations/observations.js';
import type { AddressBook } from '../pubsub/addressBook.js';
import type { ContentEntry } from '../pubsub/parseContent.js';
import type { RoomPosts } from '../pubsub/roomPosts.js';
import { RoomStates, type RoomStatesNeeds } from '../pubsub/roomStates.js';
import { Signatures } from '../pubsub/signatures.js';
import { defaultTimeouts, RedisChannels } from '../redis/redisChannels.js';
import { DocumentWork } from '../rooms/lookup/documentWork.js';
import { LocalFleetFacts } from '../rooms/lookup/localFleetFacts.js';
import { RoomDirectory } from '../rooms/lookup/roomDirectory.js';
import { RoomList } from '../rooms/lookup/roomList.js';
import { ChannelNames } from '../rooms/watching/channelNames.js';
import { RoomWatches } from '../rooms/watching/roomWatches.js';
import { UpdatesFeed } from '../rooms/watching/updatesFeed.js';
import type { Store } from '../store/store.js';

/** Times of watched rooms, in milliseconds. */
export const roomTiming = { subscribingMs: 3000, checkMs: 5000, pollMs: 1000 };

/** What rooms need from the rest of the service. */
export interface RoomWiringNeeds {
  config: Config;
  log: Logger;
  store: Store;
  book: AddressBook;
  lookup: RoomStatesNeeds['lookup'] | undefined;
  /** A server answered. */
  onHeard: (server: ServerId) => void;
  /** Whether a server announced that it takes all names of rooms. */
  takesNames: (server: ServerId) => boolean;
  /** Its owner closes it. */
  roomPosts: RoomPosts;
  /** The current live counts. */
  counts: () => KnownCounts;
  observations: Pick<Observations, 'roomSeen' | 'connections'>;
  /** Called only while the machine runs, because the machine of a room is one of its parts. */
  instance: () => InstanceActor;
  activation: () => ActivationActor;
  /** Whether a server was removed because it did not answer. */
  isGone: (server: ServerId) => boolean;
}

/** The parts that know rooms. */
export type RoomParts = ReturnType<typeof wireRooms>;

/** Creates the parts that know rooms, and fills the slots of a room's machine with them. */
export function wireRooms(wiring: RoomWiringNeeds) {
  const { config, log, store, roomPosts, instance, activation, observations } = wiring;
  const { redisUrl, redisSentinelPassword: sentinelPassword } = config;
  const redis =
    redisUrl === undefined
      ? undefined
      : new RedisChannels(redisUrl, log, { ...defaultTimeouts, sentinelPassword });
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
  const facts = new LocalFleetFacts({
    ...wiring,
    fleet: () => activation().getSnapshot().context,
    roomSeen,
    pubSubPort: config.pubSubPort,
  });
  const directory = new RoomDirectory({
    facts,
    states: wireRoomStates(wiring),
    rooms: store.rooms,
    isStorePartial,
    maxStateBytes: config.maxSnapshotBytes,
  });
  const roomList = new RoomList({
    rooms: store.rooms,
    isStorePartial,
    isGone: (address) => facts.isGone(address),
    totals: () => facts.totals(),
    counts: () => facts.counts(),
    roomSeen,
  });
  const { frameIntervalMs } = config;
  const watches = new RoomWatches({
    documents,
    directory,
    redis,
    posts: roomPosts,
    channels,
    frameIntervalMs,
    log,
  });
  const updates = new UpdatesFeed({
    redis,
    channels,
    // A viewer of updates is also a viewer of the fleet: servers post only while there is one.
    onServersWanted: (isWanted) => {
      activation().send({ type: isWanted ? 'updates.watched' : 'updates.unwatched' });
      activation().send({ type: isWanted ? 'viewer.connected' : 'viewer.disconnected' });
    },
  });
  const { roomChannel, roomSources, roomDocument } = watches;
  const machine = roomMachine.provide({
    actors: { roomChannel, roomSources, roomDocument },
    actions: {
      publishStanding: ({ context }, { standing }) =>
        watches.publishStanding(context.room, standing),
      publishChannel: ({ context }, { channel }) => watches.publishChannel(context.room, channel),
    },
  });
  const send = (type: 'room.watched' | 'room.unwatched', room: RoomName) => {
    // At shutdown, the machine stops before the last stream has closed.
    if (instance().getSnapshot().status === 'active') instance().send({ type, room });
  };
  const rooms: RoomNeeds = {
    roomList,
    directory,
    watches,
    documents: new DocumentWork(readOnce),
  };
  const roomStreams: RoomStreamNeeds = {
    directory,
    watches,
    roomWatched: (room) => send('room.watched', room),
    roomUnwatched: (room) => send('room.unwatched', room),
  };
  const connections: ConnectionNeeds = {
    connections: filledConnections(store.connections, () => observations.connections),
  };
  const takeContent = (server: ServerId, entries: readonly ContentEntry[]) => {
    roomPosts.take(server, entries);
    // Servers post an update of a watched room only once, so it is passed to the feed of all updates too.
    if (updates.viewers === 0) return;
    for (const entry of entries)
      if ('update' in entry) updates.take(entry.room, Buffer.from(entry.update, 'base64'));
  };
  const routes = { rooms, roomStreams, connections, updates };
  const viewers = () => watches.viewers + updates.viewers;
  const endStreams = () => {
    watches.close();
    updates.close();
  };
  const close = async () => {
    endStreams();
    redis?.close();
    await Promise.all([documents.close(), readOnce.close()]);
  };
  return { machine, updates, takeContent, routes, viewers, endStreams, close };
}

/** What asks servers for the states of rooms. */
function wireRoomStates({ config, book, lookup, onHeard }: RoomWiringNeeds): RoomStates {
  const { pubSubSecrets, pubSubTls, pubSubCa, requestTimeoutMs } = config;
  const signatures = pubSubSecrets && new Signatures(pubSubSecrets);
  return new RoomStates({
    sign: signatures && ((request) => signatures.sign(request)),
    tls: pubSubTls ? { ca: pubSubCa } : undefined,
    requestTimeoutMs,
    mayContact: (address, port) => book.mayContact(address, port),
    onResolved: (server, addresses) => book.note(server, addresses),
    ...(lookup && { lookup }),
    onHeard,
  });
}
