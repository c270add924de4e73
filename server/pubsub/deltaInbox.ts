import type { Post } from '../../machines/tally.js';
import { Pace } from '../timing/pace.js';

/** One transition of the machine costs as much as ten further deltas in a transition. */
const intervalMs = 5;
/** In so many deltas the cost of the transition is negligible; waiting longer only costs memory. */
const maxGathered = 1000;

/** Posts that are delivered together. */
export interface Batch {
  /** Number of deltas in all of them. */
  deltas: number;
  /** When the first of them came, by `performance.now()`. */
  sinceMs: number;
}

/** Batches posts, so the machine gets one event for many. The first post after a pause is not delayed. */
export class DeltaInbox {
  readonly #deliver: (posts: readonly Post[], batch: Batch) => void;
  readonly #pace = new Pace(
    () => this.#flush(),
    () => intervalMs,
  );
  #gathered: Post[] = [];
  /** Number of deltas in the gathered posts. */
  #deltas = 0;
  #sinceMs = 0;

  /** `deliver` must not keep the array: it is emptied when `deliver` returns. */
  constructor(deliver: (posts: readonly Post[], batch: Batch) => void) {
    this.#deliver = deliver;
  }

  /** Adds a post. Posts without deltas are ignored. */
  put(post: Post): void {
    if (post.deltas.length === 0) return;
    if (this.#gathered.length === 0) this.#sinceMs = performance.now();
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
    const batch = { deltas: this.#deltas, sinceMs: this.#sinceMs };
    this.#gathered = [];
    this.#deltas = 0;
    this.#deliver(posts, batch);
    // The garbage collector may already have moved the event to the old space, where it lives for long.
    // An emptied array lets the posts go at once: measured, that saves a quarter of a batch's cost.
    posts.length = 0;
  }
}
