import type { Post } from '../../machines/tally.js';
import { Pace } from '../timing/pace.js';

/** A transition of the machine, and waking up for it, cost as much as ten deltas in one that is made anyway. */
const intervalMs = 5;
/** With as many a transition costs little for each, and what waits longer is only moved about in memory. */
const maxGathered = 1000;

/** Gathers the posts of a moment, so that the machine gets them as one event; the first ones go at once. */
export class DeltaInbox {
  readonly #deliver: (posts: readonly Post[]) => void;
  readonly #pace = new Pace(
    () => this.#flush(),
    () => intervalMs,
  );
  #gathered: Post[] = [];
  /** Deltas in all of them. */
  #deltas = 0;

  /** `deliver` is done with the posts when it returns: the array is emptied then. */
  constructor(deliver: (posts: readonly Post[]) => void) {
    this.#deliver = deliver;
  }

  /** A post without a delta is none. */
  put(post: Post): void {
    if (post.deltas.length === 0) return;
    this.#gathered.push(post);
    this.#deltas += post.deltas.length;
    if (this.#deltas >= maxGathered) this.#flush();
    else this.#pace.touch();
  }

  close(): void {
    this.#pace.close();
  }

  #flush(): void {
    const posts = this.#gathered;
    if (posts.length === 0) return;
    this.#gathered = [];
    this.#deltas = 0;
    this.#deliver(posts);
    // What the machine made of the event may lie where garbage is seldom collected. All that it still
    // held would be kept and moved there with it, which is a quarter of what a batch costs.
    posts.length = 0;
  }
}
