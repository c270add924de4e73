import { z } from 'zod';
import type { Leader } from '../../machines/ports.js';
import { causeOf } from '../causeOf.js';
import { isSameLeadership } from '../cluster/followedLeader.js';
import { parseJson } from '../parseJson.js';
import { InvalidPost } from './parsePosted.js';

/** A post as a pub-sub server sent it to an instance that does not lead. */
export interface PassedPost {
  token: string;
  body: string;
}

/** What the leader did with a post: null, it took it; else the error code. */
export type PassedResult = null | { code: RefusedCode; message: string };
type RefusedCode = InvalidPost['code'] | 'token_unknown';

/** The leader did not take a post, or it is not known whether it did. */
export class PostNotTaken extends Error {
  override readonly name = 'PostNotTaken';
}

/** What passing posts on needs of the rest of the service. */
export interface PassedPostsNeeds {
  /** Sends a signed POST to the leader. Rejects if there is no whole answer within a deadline. */
  ask: (leader: Leader, path: string, body: string) => Promise<{ status: number; body: string }>;
}

/** Where an instance takes the posts that others pass on. */
export const passedPostsPath = '/api/instances/posts';
/** A request has more only if one post alone does. */
const maxRequestLength = 1024 * 1024;
const maxRequestPosts = 1000;
/** Of the posts that wait for the requests before, in UTF-16 code units. */
const maxWaitingLength = 8 * 1024 * 1024;

const passed = z.object({ posts: z.array(z.tuple([z.string(), z.string()])) });
const results = z.object({
  results: z.array(
    z
      .object({
        code: z.enum(['invalid_json', 'invalid_delta', 'token_unknown']),
        message: z.string(),
      })
      .nullable(),
  ),
});

/** Reads the body of a request to `passedPostsPath`; undefined: it is none. */
export function parsePassedPosts(body: string): PassedPost[] | undefined {
  const { data } = passed.safeParse(parseJson(body));
  return data?.posts.map(([token, text]) => ({ token, body: text }));
}

interface Waiting extends PassedPost {
  done: (error?: Error) => void;
}

/**
 * Passes posts on to the leader. One request is open at a time and takes along what has arrived meanwhile, so the
 * leader gets all posts in their order. After a failure nothing is sent again: a post may have been counted.
 */
export class PassedPosts {
  readonly #needs: PassedPostsNeeds;
  #lane: Lane | undefined;

  constructor(needs: PassedPostsNeeds) {
    this.#needs = needs;
  }

  /** Resolves when the leader has taken it. Rejects with `InvalidPost` or `PostNotTaken`. */
  pass(leader: Leader, post: PassedPost): Promise<void> {
    const before = this.#lane;
    if (before?.isTo(leader)) return before.put(post);
    this.#lane = new Lane(leader, this.#needs, before?.takeWaiting());
    return this.#lane.put(post);
  }
}

/** The posts for one leader. */
class Lane {
  readonly #leader: Leader;
  readonly #needs: PassedPostsNeeds;
  #waiting: Waiting[];
  #waitingLength = 0;
  #isAsking = false;

  /** `waiting`: posts that were to go to the leader before. They were not sent. */
  constructor(leader: Leader, needs: PassedPostsNeeds, waiting: Waiting[] = []) {
    this.#leader = leader;
    this.#needs = needs;
    this.#waiting = waiting;
    for (const { body } of waiting) this.#waitingLength += body.length;
  }

  takeWaiting(): Waiting[] {
    return this.#remove(this.#waiting.length);
  }

  isTo(leader: Leader): boolean {
    return isSameLeadership(this.#leader, leader);
  }

  put(post: PassedPost): Promise<void> {
    const isFull = this.#waitingLength + post.body.length > maxWaitingLength;
    const passing = isFull
      ? Promise.reject(new PostNotTaken('too many posts wait for the leader'))
      : this.#wait(post);
    // Even if this one is refused: those that were to go to another leader may not have been sent yet.
    if (!this.#isAsking) void this.#askAll();
    return passing;
  }

  #wait(post: PassedPost): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => (error ? reject(error) : resolve());
      this.#waiting.push({ ...post, done });
      this.#waitingLength += post.body.length;
    });
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.length > 0) await this.#ask(this.#take());
    this.#isAsking = false;
  }

  async #ask(posts: readonly Waiting[]): Promise<void> {
    try {
      const sent = JSON.stringify({ posts: posts.map(({ token, body }) => [token, body]) });
      const { status, body } = await this.#needs.ask(this.#leader, passedPostsPath, sent);
      if (status !== 200) throw new Error(`answered ${status}`);
      const given = results.parse(parseJson(body)).results;
      if (given.length !== posts.length) throw new Error('answered for other posts');
      for (const [i, { done }] of posts.entries()) done(errorOf(given[i]));
    } catch (error) {
      const cause = new PostNotTaken(causeOf(error));
      // What waits would wait for another deadline.
      for (const { done } of [...posts, ...this.takeWaiting()]) done(cause);
    }
  }

  /** Removes the posts of the next request, at least one. */
  #take(): Waiting[] {
    let count = 0;
    let length = 0;
    for (const { token, body } of this.#waiting) {
      length += token.length + body.length;
      if (count > 0 && (length > maxRequestLength || count >= maxRequestPosts)) break;
      count += 1;
    }
    return this.#remove(count);
  }

  #remove(count: number): Waiting[] {
    const removed = this.#waiting.splice(0, count);
    for (const { body } of removed) this.#waitingLength -= body.length;
    return removed;
  }
}

function errorOf(result: PassedResult | undefined): Error | undefined {
  if (!result) return undefined;
  const { code, message } = result;
  return code === 'token_unknown' ? new PostNotTaken(code) : new InvalidPost(code, message);
}
