import type { PostedRoomEvents } from '../../server/pubsub/postedRoom.js';

/** What the follower of a room was told, in order. */
export function notedEvents(): { events: PostedRoomEvents; take: () => string[] } {
  const told: string[] = [];
  const events: PostedRoomEvents = {
    onFollowed: (servers) => told.push(`followed ${servers.join()}`.trim()),
    onLost: () => told.push('lost'),
    onMissing: () => told.push('missing'),
    onUpdate: (update) => told.push(`update ${update.join()}`),
    onAwareness: (update) => told.push(`awareness ${update.join()}`),
    onDropped: () => told.push('dropped'),
  };
  return { events, take: () => told.splice(0) };
}
