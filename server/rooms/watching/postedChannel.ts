import type { RoomChannelEvent } from '../../../machines/ports.js';
import type { RoomPosts } from '../../pubsub/roomPosts.js';
import type { RoomDirectory } from '../lookup/roomDirectory.js';
import type { RoomWatch } from './roomWatch.js';

/**
 * Follows updates and awareness of a room that its servers post: first those that the store and the live counts
 * name, then those that rounds and posts find. The returned function ends that.
 */
export function followPosts(
  watch: RoomWatch,
  { posts, directory }: { posts: RoomPosts; directory: RoomDirectory },
  send: (event: RoomChannelEvent) => void,
): () => void {
  const posted = posts.follow(watch.room, {
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
  // Before the first round, so that the states it reads contain everything that was posted before.
  void directory
    .holders(watch.room)
    .then((holders) => posted.note(holders.map(({ server }) => server)));
  return () => posts.end(posted);
}
