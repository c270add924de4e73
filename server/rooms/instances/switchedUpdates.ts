import type { UpdatesEvents, UpdatesSource } from '../watching/updatesSource.js';

/** All updates, for followers at this instance. Servers may post them to this or to another instance. */
export class SwitchedUpdates implements UpdatesSource {
  #source: UpdatesSource;
  /** Each follower, and how it leaves the source of the moment. */
  readonly #followers = new Map<UpdatesEvents, () => void>();

  constructor(source: UpdatesSource) {
    this.#source = source;
  }

  /** Servers post to another instance from now on. */
  use(source: UpdatesSource): void {
    this.#source = source;
    for (const [events, leave] of [...this.#followers]) {
      leave();
      events.onLost();
      this.#followers.set(events, source.follow(events));
    }
  }

  follow(events: UpdatesEvents): () => void {
    this.#followers.set(events, this.#source.follow(events));
    return () => {
      this.#followers.get(events)?.();
      this.#followers.delete(events);
    };
  }
}
