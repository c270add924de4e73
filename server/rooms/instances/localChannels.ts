import type { RoomName } from '../../../machines/ports.js';
import type { LocalFollower } from '../../pubsub/followedRoom.js';
import type { PostedRoomEvents } from '../../pubsub/postedRoom.js';
import type { RoomPosts } from '../../pubsub/roomPosts.js';
import type { RoomDirectory } from '../lookup/roomDirectory.js';
import type { RoomChannels } from '../watching/roomChannels.js';

/** What following rooms needs where their servers post. */
export interface LocalChannelsNeeds {
  posts: RoomPosts;
  directory: RoomDirectory;
}

/**
 * Rooms whose servers post to this instance: first those that the store and the live counts name, then those that
 * rounds and posts find.
 */
export class LocalChannels implements RoomChannels {
  readonly #needs: LocalChannelsNeeds;

  constructor(needs: LocalChannelsNeeds) {
    this.#needs = needs;
  }

  follow(room: RoomName, events: PostedRoomEvents): LocalFollower {
    const { posts, directory } = this.#needs;
    const followed = posts.follow(room, events);
    // Before the first round, so that the states it reads contain everything that was posted before.
    void directory
      .holders(room)
      .then((holders) => followed.note(holders.map(({ server }) => server)));
    return followed;
  }
}
