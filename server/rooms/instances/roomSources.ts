import type { RoomName, ServerId } from '../../../machines/ports.js';
import type { ContentEntry } from '../../pubsub/parseContent.js';
import type { RoomPosts } from '../../pubsub/roomPosts.js';
import type { FleetFacts } from '../lookup/fleetFacts.js';
import type { LocalFleetFacts } from '../lookup/localFleetFacts.js';
import type { RoomDirectory } from '../lookup/roomDirectory.js';
import { noChannels } from '../watching/roomChannels.js';
import { noUpdates } from '../watching/updatesSource.js';
import { answerServers } from './factsAnswers.js';
import type { FollowerFacts } from './followerFacts.js';
import type { LeaderLink } from './leaderLink.js';
import { LocalChannels } from './localChannels.js';
import { LocalUpdates } from './localUpdates.js';
import { PostStreams } from './postStreams.js';
import { RemoteChannels } from './remoteChannels.js';
import { RemoteUpdates } from './remoteUpdates.js';
import { SwitchedChannels } from './switchedChannels.js';
import { SwitchedUpdates } from './switchedUpdates.js';
import { UpdateStreams } from './updateStreams.js';

/** The parts of a fleet that this instance leads, for rooms. */
export interface LedFleet {
  facts: LocalFleetFacts;
  posts: RoomPosts;
  /** Somebody in the cluster follows all updates, or nobody any longer. */
  onUpdatesWanted: (isWanted: boolean) => void;
}

/** What this instance has while it leads. */
interface Led {
  fleet: LedFleet;
  updates: LocalUpdates;
  /** What it passes on to the other instances. */
  postStreams: PostStreams;
  updateStreams: UpdateStreams;
}

/**
 * Where the rooms of this instance learn about the fleet: from this instance while it leads, else from the leader.
 * Watched rooms and their viewers stay when that changes.
 */
export class RoomSources {
  readonly channels = new SwitchedChannels(noChannels);
  readonly updates = new SwitchedUpdates(noUpdates);
  readonly #followerFacts: FollowerFacts;
  #led: Led | undefined;

  constructor(followerFacts: FollowerFacts) {
    this.#followerFacts = followerFacts;
  }

  /** What this instance offers the others; undefined: it does not lead. */
  get led(): Led | undefined {
    return this.#led;
  }

  /** The facts of the moment. */
  readonly facts: FleetFacts = {
    factsOf: (room, addresses) => this.#facts.factsOf(room, addresses),
    serversFor: (room) => this.#facts.serversFor(room),
    about: (server, room) => this.#facts.about(server, room),
    isAnyTakingNames: () => this.#facts.isAnyTakingNames(),
  };

  /** This instance leads from now on. Call it when the fleet's activation has started. */
  lead(fleet: LedFleet, directory: RoomDirectory): void {
    this.#endLeading();
    const updates = new LocalUpdates(fleet.onUpdatesWanted);
    const { posts } = fleet;
    const channels = new LocalChannels({ posts, directory });
    const postStreams = new PostStreams({ channels, posts });
    this.#led = { fleet, updates, postStreams, updateStreams: new UpdateStreams(updates) };
    this.channels.use(channels);
    this.updates.use(updates);
  }

  /** Another instance leads; undefined: nobody does. */
  follow(leader: LeaderLink | undefined): void {
    this.#endLeading();
    this.#followerFacts.ask(leader);
    this.channels.use(leader ? new RemoteChannels(leader) : noChannels);
    this.updates.use(leader ? new RemoteUpdates(leader) : noUpdates);
  }

  /** A server posted an update of any document. */
  takeUpdate(room: RoomName, update: Uint8Array): void {
    this.#led?.updates.take(room, update);
  }

  /** A server posted about watched rooms. */
  takeContent(server: ServerId, entries: readonly ContentEntry[]): void {
    if (!this.#led) return;
    const { fleet, updates } = this.#led;
    fleet.posts.take(server, entries);
    // Servers post an update of a watched room only once, so it is passed to those who follow all updates too.
    if (!updates.isFollowed) return;
    for (const entry of entries)
      if ('update' in entry) updates.take(entry.room, Buffer.from(entry.update, 'base64'));
  }

  /** Ends every stream, from and to other instances. */
  close(): void {
    this.follow(undefined);
  }

  get #facts(): FleetFacts {
    return this.#led?.fleet.facts ?? this.#followerFacts;
  }

  /** No server is told: this instance may not contact them any longer. */
  #endLeading(): void {
    const led = this.#led;
    if (!led) return;
    this.#led = undefined;
    void answerServers(led.fleet.facts).then(({ servers }) => this.#followerFacts.learn(servers));
    led.fleet.posts.close();
    led.updates.close();
    led.postStreams.close();
    led.updateStreams.close();
  }
}
