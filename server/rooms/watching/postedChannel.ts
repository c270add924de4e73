import type { RoomChannelEvent } from '../../../machines/ports.js';
import type { FollowedRoom } from '../../pubsub/postedRoom.js';
import type { RoomChannels } from './roomChannels.js';
import type { RoomWatch } from './roomWatch.js';

/** Follows updates and awareness of a room that its servers post. */
export function followPosts(
  watch: RoomWatch,
  posts: RoomChannels,
  send: (event: RoomChannelEvent) => void,
): FollowedRoom {
  return posts.follow(watch.room, {
    onFollowed: () => {
      watch.setPresence('subscribed');
      send({ type: 'channel.subscribed' });
    },
    onLost: () => {
      watch.setPresence('lost');
      send({ type: 'channel.lost' });
    },
    onMissing: () => {
      watch.setPresence('none');
      send({ type: 'channel.missing' });
    },
    onUpdate: (update) => send({ type: 'update.received', update }),
    onAwareness: (update) => watch.applyPresence(update),
    onDropped: () => watch.noteDropped(),
  });
}
