import type { RoomName } from '../../../machines/ports.js';
import type { FollowedRoom, PostedRoomEvents } from '../../pubsub/postedRoom.js';

/** Follows rooms by what their pub-sub servers post: to this instance, or to the leader, which passes it on. */
export interface RoomChannels {
  /** Until the follower ends. `events` may be called before this returns. */
  follow(room: RoomName, events: PostedRoomEvents): FollowedRoom;
}

/** While there is no leader, no server posts, and every room is polled. */
export const noChannels: RoomChannels = {
  follow: (_room, events) => {
    events.onLost();
    return { beginRound() {}, endRound() {}, takeJustFollowed: () => [], end() {} };
  },
};
