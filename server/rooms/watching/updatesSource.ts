import type { RoomName } from '../../../machines/ports.js';

/** What a follower of all updates is told. */
export interface UpdatesEvents {
  /** The servers are asked to post their updates. */
  onAsked: () => void;
  onUpdate: (room: RoomName, update: Uint8Array) => void;
  /** Updates may be missed from now on, until the next `onAsked`. */
  onLost: () => void;
}

/** The updates of all documents that pub-sub servers post: to this instance, or to the leader, which passes them on. */
export interface UpdatesSource {
  /** Until the returned function is called. `events` may be called before this returns. */
  follow(events: UpdatesEvents): () => void;
}

/** While there is no leader, no server posts. */
export const noUpdates: UpdatesSource = {
  follow: ({ onLost }) => {
    onLost();
    return () => {};
  },
};
