import { EventPosts, type EventPostsOptions } from './eventPosts.js';

/**
 * Posts deltas to the origin of the newest URL, and what is left for earlier origins beside it. The dashboard
 * may be several instances: posts that hang at one that has died delay none to its successor.
 */
export class OriginPosts {
  readonly #options: EventPostsOptions;
  readonly #earlier = new Set<EventPosts>();
  #present: EventPosts;
  #url = '';
  #origin: string | undefined;

  constructor(options: EventPostsOptions) {
    this.#options = options;
    this.#present = this.#create();
  }

  /** Notes a change. It belongs to the URL that is valid now. */
  put(url: string, room: string, add: 1 | -1): void {
    if (url !== this.#url) this.#turnTo(url);
    this.#present.put(url, room, add);
  }

  /** Drops what is not posted yet. */
  clear(): void {
    for (const posts of this.#all()) posts.clear();
  }

  /** The dashboard has answered something: posts again. */
  resume(): void {
    this.#present.resume();
  }

  /** Resolves when every delta is answered or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#all().map((posts) => posts.settled()));
  }

  #all(): EventPosts[] {
    return [this.#present, ...this.#earlier];
  }

  #turnTo(url: string): void {
    const { origin } = new URL(url);
    this.#url = url;
    if (origin === this.#origin) return;
    const earlier = this.#present;
    this.#earlier.add(earlier);
    void earlier.settled().then(() => this.#earlier.delete(earlier));
    this.#origin = origin;
    this.#present = this.#create();
  }

  #create(): EventPosts {
    const posts: EventPosts = new EventPosts({
      ...this.#options,
      // An earlier origin that takes no posts says nothing about the present one.
      suspended: () => posts === this.#present && this.#options.suspended(),
    });
    return posts;
  }
}
