import type { RoomName } from '../../../machines/ports.js';
import type { UpdatesEvents, UpdatesSource } from '../watching/updatesSource.js';

/** The updates that servers post to this instance. Servers are asked for them while there are followers. */
export class LocalUpdates implements UpdatesSource {
  readonly #onWanted: (isWanted: boolean) => void;
  readonly #followers = new Set<UpdatesEvents>();

  /** `onWanted`: the first follower came, or the last one left. */
  constructor(onWanted: (isWanted: boolean) => void) {
    this.#onWanted = onWanted;
  }

  follow(events: UpdatesEvents): () => void {
    this.#followers.add(events);
    if (this.#followers.size === 1) this.#onWanted(true);
    events.onAsked();
    return () => {
      if (!this.#followers.delete(events)) return;
      if (this.#followers.size === 0) this.#onWanted(false);
    };
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  /** Forgets its followers. Servers are not told: this instance no longer leads. */
  close(): void {
    this.#followers.clear();
  }

  /** A server posted an update. */
  take(room: RoomName, update: Uint8Array): void {
    for (const { onUpdate } of this.#followers) onUpdate(room, update);
  }
}
