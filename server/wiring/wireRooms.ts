import type { Logger } from 'pino';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { RoomName, ServerId } from '../../machines/ports.js';
import { roomMachine } from '../../machines/roomMachine.js';
import type { Config } from '../config/config.js';
import { Documents } from '../documents/documents.js';
import { RoomRefusals } from '../documents/roomRefusals.js';
import type { KnownCounts } from '../fleet/knownCounts.js';
import type { Admission } from '../http/guards/admission.js';
import type { ConnectionNeeds } from '../http/routes/connections.js';
import type { RoomStreamNeeds } from '../http/routes/roomStreams.js';
import type { RoomNeeds } from '../http/routes/rooms.js';
import type { UpdateNeeds } from '../http/routes/updates.js';
import { filledConnections } from '../observations/filledConnections.js';
import type { Observations } from '../observations/observations.js';
import type { AddressBook } from '../pubsub/addressBook.js';
import type { PubSubServers } from '../pubsub/pubSubServers.js';
import { defaultPatience, RedisChannels } from '../redis/redisChannels.js';
import { DocumentWork } from '../rooms/lookup/documentWork.js';
import { RoomDirectory } from '../rooms/lookup/roomDirectory.js';
import { RoomList } from '../rooms/lookup/roomList.js';
import { ChannelNames } from '../rooms/watching/channelNames.js';
import { RoomWatches } from '../rooms/watching/roomWatches.js';
import { UpdatesFeed } from '../rooms/watching/updatesFeed.js';
import type { Store } from '../store/store.js';

/** Times of watched rooms, in milliseconds. */
export const roomTiming = { subscribingMs: 3000, checkMs: 5000, pollMs: 1000 };

type RoomRouteNeeds = RoomNeeds & RoomStreamNeeds & UpdateNeeds & ConnectionNeeds;

/** What rooms need of the rest of the service. */
export interface RoomWiringNeeds {
  config: Config;
  log: Logger;
  store: Store;
  book: AddressBook;
  servers: PubSubServers;
  /** The live counts of now. */
  counts: () => KnownCounts;
  observations: Pick<Observations, 'roomSeen' | 'connections'>;
  /** Asked for when the machine runs: it has the machine of a room among its parts. */
  actor: () => ActivationActor;
  /** Whether a server was let go because it did not answer. */
  isGone: (server: ServerId) => boolean;
}

/** Puts together what knows of rooms, and fills the slots of a room's machine with it. */
export function wireRooms(wiring: RoomWiringNeeds) {
  const { config, log, store, book, servers, counts, actor, isGone, observations } = wiring;
  const { redisUrl, redisSentinelPassword: sentinelPassword } = config;
  const redis =
    redisUrl === undefined
      ? undefined
      : new RedisChannels(redisUrl, log, { ...defaultPatience, sentinelPassword });
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
  // A thread of its own: nobody who asks once holds up those who watch.
  const readOnce = new Documents(documentsOptions);
  // Tables without a name are embedded: no pub-sub server elsewhere writes to them.
  const roomSeen = (room: RoomName) => observations.roomSeen(room);
  const isStorePartial = config.dynamodbTable === undefined;
  const directory = new RoomDirectory({
    actor,
    book,
    servers,
    rooms: store.rooms,
    counts,
    isStorePartial,
    pubSubPort: config.pubSubPort,
    maxStateBytes: config.maxSnapshotBytes,
    isGone,
  });
  const roomList = new RoomList({
    rooms: store.rooms,
    isStorePartial,
    isGone: (address) => directory.isGone(address),
    totals: () => actor().getSnapshot().context.tally.totals,
    counts,
    roomSeen,
  });
  const { frameIntervalMs } = config;
  const watches = new RoomWatches({ documents, directory, redis, channels, frameIntervalMs, log });
  const updates = new UpdatesFeed({
    redis,
    channels,
    // Whoever watches what servers post is a viewer as well: they post nothing to nobody.
    onServersWanted: (isWanted) => {
      actor().send({ type: isWanted ? 'updates.watched' : 'updates.unwatched' });
      actor().send({ type: isWanted ? 'viewer.connected' : 'viewer.disconnected' });
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
  const tell = (type: 'room.watched' | 'room.unwatched', room: RoomName) => {
    // At the end the machine stops before the last stream has closed.
    if (actor().getSnapshot().status === 'active') actor().send({ type, room });
  };
  const needs: Omit<RoomRouteNeeds, keyof Admission> = {
    roomList,
    directory,
    watches,
    updates,
    documents: new DocumentWork(readOnce),
    connections: filledConnections(store.connections, () => observations.connections),
    roomSeen,
    roomWatched: (room) => tell('room.watched', room),
    roomUnwatched: (room) => tell('room.unwatched', room),
  };
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
  return { machine, updates, needs, viewers, endStreams, close };
}
