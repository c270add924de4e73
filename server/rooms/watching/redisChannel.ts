import type { RoomChannelEvent } from '../../../machines/ports.js';
import type { RedisChannels } from '../../redis/redisChannels.js';
import type { ChannelNames } from './channelNames.js';
import type { RoomWatch } from './roomWatch.js';

/** Follows updates and awareness of a room on Redis. The returned function ends that. */
export function followRedis(
  watch: RoomWatch,
  { redis, channels }: { redis: RedisChannels; channels: ChannelNames },
  send: (event: RoomChannelEvent) => void,
): () => void {
  const unfollow = redis.follow(channels.updates(watch.room), {
    onMessage: (update) => send({ type: 'update.received', update }),
    onSubscribed: () => send({ type: 'channel.subscribed' }),
    onLost: () => send({ type: 'channel.lost' }),
    onFailed: (cause) => watch.setFailure(cause),
  });
  const unfollowPresence = redis.follow(channels.presence(watch.room), {
    onMessage: (update) => watch.applyPresence(update),
    onSubscribed: () => watch.setPresence('subscribed'),
    onLost: () => watch.setPresence('lost'),
    onFailed: (cause) => watch.setPresence(cause === 'refused' ? 'refused' : 'lost'),
  });
  return () => {
    unfollow();
    unfollowPresence();
  };
}
