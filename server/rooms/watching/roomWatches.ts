import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type EventObject, fromCallback } from 'xstate';
import type {
  RoomChannelEvent,
  RoomChannelStanding,
  RoomDocumentCommand,
  RoomName,
  RoomSourceAnswer,
  RoomSourceRequest,
  RoomStanding,
  ServerId,
} from '../../../machines/ports.js';
import type { Documents } from '../../documents/documents.js';
import type { FollowedRoom } from '../../pubsub/postedRoom.js';
import type { RedisChannels } from '../../redis/redisChannels.js';
import type { Viewer } from '../../sse/viewer.js';
import type { WatchedRoom } from '../../wire/watchedRoom.js';
import { type AskedServer, isAskable, type RoomDirectory } from '../lookup/roomDirectory.js';
import type { ChannelNames } from './channelNames.js';
import { followPosts } from './postedChannel.js';
import { followRedis } from './redisChannel.js';
import type { RoomChannels } from './roomChannels.js';
import type { RoomView } from './roomStreams.js';
import { RoomWatch, type ServerFinding } from './roomWatch.js';

/** What watching rooms needs from the rest of the service. */
export interface RoomWatchesNeeds {
  documents: Documents;
  directory: RoomDirectory;
  /** Undefined: no Redis is configured. Then servers post rooms, and rooms whose servers cannot are polled. */
  redis: RedisChannels | undefined;
  /** Not used with Redis. */
  posts: RoomChannels;
  /** Names of the channels of rooms. */
  channels: ChannelNames;
  frameIntervalMs: number;
  log: Logger;
  /** The servers of a room began to differ; none: they agree again. */
  onDiverged: (room: RoomName, differing: readonly string[]) => void;
}

/** Most watched rooms. Each has a document in memory. */
export const maxWatched = 200;

const findingMessages: Record<ServerFinding['finding'], string> = {
  unreadable: 'a pub-sub server sends a state of a room that is not a Yjs document',
  waiting_for: 'a pub-sub server lacks updates of a room and cannot apply later ones',
  diverged: 'the pub-sub servers of a room hold different documents',
};

interface RoomInput {
  room: RoomName;
}

/** The watched rooms, and the actors in the slots of their machines. */
export class RoomWatches {
  readonly #needs: RoomWatchesNeeds;
  readonly #watches = new Map<RoomName, RoomWatch>();
  /** Rooms that servers post. */
  readonly #followed = new Map<RoomName, FollowedRoom>();

  constructor(needs: RoomWatchesNeeds) {
    this.#needs = needs;
  }

  /** Adds a viewer to a room. The caller has to tell the room's machine. */
  add(room: RoomName, viewer: Viewer, view: RoomView): void {
    this.#watch(room).add(viewer, view);
  }

  remove(room: RoomName, viewer: Viewer): void {
    this.#watches.get(room)?.remove(viewer);
  }

  /** A watched room; undefined: it has no viewers. */
  get(room: RoomName): RoomWatch | undefined {
    return this.#watches.get(room);
  }

  /** The names of all watched rooms. */
  get rooms(): Iterable<RoomName> {
    return this.#watches.keys();
  }

  get viewers(): number {
    let viewers = 0;
    for (const watch of this.#watches.values()) viewers += watch.viewers;
    return viewers;
  }

  /** The watched rooms, and the servers with a finding. */
  list(): WatchedRoom[] {
    const serversOf = (findings: readonly { server: string }[]) =>
      findings.map(({ server }) => server);
    return [...this.#watches.values()].map((watch) => {
      const { room, state, diverged, unreadable, waitingFor } = watch.status();
      return {
        room,
        viewers: watch.viewers,
        state,
        diverged: serversOf(diverged),
        unreadable: serversOf(unreadable),
        waitingFor: serversOf(waitingFor),
      };
    });
  }

  /** How many rooms are watched, and of how many the servers hold different documents. */
  counts(): { watched: number; divergent: number } {
    let divergent = 0;
    for (const watch of this.#watches.values())
      if (watch.findings().diverged.length > 0) divergent += 1;
    return { watched: this.#watches.size, divergent };
  }

  /** Whether a room can have one more viewer with this view. */
  hasPlaceFor(room: RoomName, view: RoomView): boolean {
    const watch = this.#watches.get(room);
    return watch ? watch.hasPlaceFor(view) : this.#watches.size < maxWatched;
  }

  publishStanding(room: RoomName, standing: RoomStanding): void {
    this.#watches.get(room)?.setStanding(standing);
  }

  publishChannel(room: RoomName, channel: RoomChannelStanding): void {
    this.#watches.get(room)?.setChannel(channel);
    if (channel === 'silent')
      this.#needs.log.warn(
        { room },
        'servers have changes of this room that they neither published nor posted; polling it',
      );
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  /** The slot `roomChannel`: updates and awareness of a room, from Redis or from its servers. */
  readonly roomChannel = fromCallback<EventObject, RoomInput>(({ input: { room }, sendBack }) => {
    const { redis, channels } = this.#needs;
    const watch = this.#watch(room);
    watch.setPresence('connecting');
    const unfollow = redis
      ? followRedis(watch, { redis, channels }, sendBack)
      : this.#followPosts(watch, sendBack);
    return () => {
      unfollow();
      this.#watches.get(room)?.setPresence('connecting');
    };
  });

  /** The slot `roomSources`: the servers of a room and their states. */
  readonly roomSources = fromCallback<RoomSourceRequest, RoomInput>(
    ({ input: { room }, receive, sendBack }) => {
      const stop = new AbortController();
      const send = (event: RoomSourceAnswer) => {
        if (!stop.signal.aborted) sendBack(event);
      };
      receive((request) => {
        if (request.type === 'location.requested') void this.#locate(room).then(send);
        else void this.#collect(room, request.servers, stop.signal, send);
      });
      return () => stop.abort();
    },
  );

  /** The slot `roomDocument`: the document of a room, and its viewers. */
  readonly roomDocument = fromCallback<RoomDocumentCommand, RoomInput>(
    ({ input: { room }, receive, sendBack }) => {
      const watch = this.#watch(room);
      const content = watch.begin({
        onGap: () => sendBack({ type: 'update.refused' }),
        onLost: () => sendBack({ type: 'document.lost' }),
        onUndelivered: () => sendBack({ type: 'changes.undelivered' }),
        onDelivered: () => sendBack({ type: 'changes.delivered' }),
      });
      receive((command) => {
        if (command.type === 'state.merged') content.merge(command.server, command.state);
        else if (command.type === 'update.applied') void content.apply(command.update);
        else if (command.type === 'channel.begun') content.beginChannel();
        else
          void content
            .endRound(command.isJudged)
            .then((outcome) => sendBack({ type: 'round.merged', ...outcome }));
      });
      return () => {
        watch.end();
        if (watch.viewers > 0) return;
        watch.close();
        this.#watches.delete(room);
      };
    },
  );

  #followPosts(watch: RoomWatch, send: (event: RoomChannelEvent) => void): () => void {
    const followed = followPosts(watch, this.#needs.posts, send);
    this.#followed.set(watch.room, followed);
    return () => {
      this.#followed.delete(watch.room);
      followed.end();
    };
  }

  #watch(room: RoomName): RoomWatch {
    const known = this.#watches.get(room);
    if (known) return known;
    const { documents, directory, frameIntervalMs, log, onDiverged } = this.#needs;
    const watch = new RoomWatch(room, {
      source: this.#needs.redis ? 'redis' : 'posts',
      documents,
      frameIntervalMs,
      isAskable: directory.mayAsk(room),
      onGarbage: (name, bytes) =>
        log.warn({ room: name, bytes }, 'a message on the channel of a room is not an update'),
      onFinding: (name, { finding, ...about }) =>
        log.warn({ room: name, finding, ...about }, findingMessages[finding]),
      onDiverged: (differing) => onDiverged(room, differing),
    });
    this.#watches.set(room, watch);
    return watch;
  }

  async #locate(room: RoomName): Promise<RoomSourceAnswer> {
    const { directory } = this.#needs;
    const followed = this.#followed.get(room);
    followed?.beginRound();
    // They were located a moment ago, and nobody else has to be asked.
    const justFollowed = followed?.takeJustFollowed() ?? [];
    if (justFollowed.length > 0) return { type: 'servers.located', servers: justFollowed };
    const holders = await directory.holders(room);
    const asked = holders.length > 0 ? holders : await directory.allServers(room);
    return { type: 'servers.located', servers: asked.map(({ server }) => server) };
  }

  async #collect(
    room: RoomName,
    servers: readonly ServerId[],
    signal: AbortSignal,
    send: (event: RoomSourceAnswer) => void,
  ): Promise<void> {
    const asked = await this.#ask(room, servers, signal);
    if (signal.aborted) return;
    this.#followed.get(room)?.endRound(answersOf(asked));
    let holders = 0;
    let failures = 0;
    for (const { server, answer } of asked) {
      if (answer.kind === 'failed') failures += 1;
      if (answer.kind !== 'holds') continue;
      holders += 1;
      // A state may have many MB: let other work run in between.
      await nextTurn();
      send({ type: 'state.received', server, state: answer.state });
    }
    send({ type: 'states.completed', holders, failures });
  }

  async #ask(
    room: RoomName,
    servers: readonly ServerId[],
    signal: AbortSignal,
  ): Promise<AskedServer[]> {
    const { directory } = this.#needs;
    const named = servers.map((server) => directory.about(server, room));
    // An unreadable answer is not enough: the room would not become live.
    const isEnough = ({ answer }: AskedServer) => answer.kind === 'holds';
    const { asked, notAsked } = await directory.askNamedFirst(room, named, { signal, isEnough });
    this.#watches.get(room)?.noteRound({ isAskable: isAskable(room, asked), notAsked });
    return asked;
  }
}

const answersOf = (asked: readonly AskedServer[]) =>
  new Map(asked.map(({ server, answer }) => [server, answer.kind]));
