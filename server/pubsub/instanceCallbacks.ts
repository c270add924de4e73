import type { ServerId } from '../../machines/ports.js';
import type { CallbackReceiver } from './callbackReceiver.js';
import type { DeltaClaims, EventTokens, TokenClaims } from './eventTokens.js';
import { FollowerQueries, type FollowerQueriesNeeds } from './followerQueries.js';
import { type ContentEntry, parseContent } from './parseContent.js';
import { InvalidPost, type Posted, parsePosted } from './parsePosted.js';
import {
  type PassedPost,
  type PassedPosts,
  type PassedResult,
  PostNotTaken,
} from './passedPosts.js';
import type { PassedQueries } from './passedQueries.js';
import type { Answered } from './startupQueries.js';
import type { StartupAnswer, StartupQuery } from './startupQuery.js';

/** What posts and queries at an instance of a cluster need of the rest of the service. */
export interface InstanceCallbacksNeeds extends FollowerQueriesNeeds {
  /** What takes posts while this instance leads; undefined: it does not. */
  receiver: () => CallbackReceiver | undefined;
  passed: PassedPosts;
  /** Undefined: the leader is not asked. */
  passedQueries?: PassedQueries | undefined;
  /** Whether this instance is shutting down: it was the leader a moment ago, so servers still post to it. */
  isLeaving: () => boolean;
}

/**
 * Posts and start-up queries at an instance of a cluster. While it leads, its fleet's receiver takes them. Else
 * they are passed on to the leader before they are answered, and what the leader does not get is left in its inbox.
 */
export class InstanceCallbacks {
  readonly tokens: EventTokens;
  readonly #needs: InstanceCallbacksNeeds;
  readonly #queries: FollowerQueries;

  constructor(needs: InstanceCallbacksNeeds) {
    this.#needs = needs;
    this.tokens = needs.tokens;
    this.#queries = new FollowerQueries(needs);
  }

  /**
   * Passes a post on to the leader. Undefined: this instance leads, and takes the post itself. Rejects with
   * `InvalidPost` or `PostNotTaken`.
   */
  passOn(claims: TokenClaims, post: PassedPost): Promise<void> | undefined {
    return this.#receiverOf(claims) ? undefined : this.#pass(claims, post);
  }

  takePosted(claims: DeltaClaims, posted: Posted): void {
    this.#receiverOf(claims)?.take(claims, posted);
  }

  takeContent(server: ServerId, entries: readonly ContentEntry[]): void {
    this.#needs.receiver()?.takeContent(server, entries);
  }

  /** A post with a valid token was refused. */
  noteUncountedPost(claims: TokenClaims): void {
    const receiver = this.#receiverOf(claims);
    if (receiver) receiver.noteUncountedPost(claims);
    else this.#needs.inbox.write({ kind: 'post', claims });
  }

  notePostWithoutToken(address: string): void {
    const { receiver, book, inbox } = this.#needs;
    const own = receiver();
    if (own) own.notePostWithoutToken(address);
    else if (book.mayBePubSubServer(address)) inbox.write({ kind: 'stranger', address });
  }

  /** Takes posts that another instance passed on. Undefined: this instance does not lead. */
  takePassed(posts: readonly PassedPost[]): PassedResult[] | undefined {
    if (!this.#needs.receiver()) return undefined;
    return posts.map((post) => this.#takeOne(post));
  }

  /** The answer to a start-up query. Without the lease it is the leader's, if that can be asked. */
  async askLeader(query: StartupQuery): Promise<Answered> {
    const { receiver, leader, passedQueries } = this.#needs;
    const other = leader();
    if (!receiver() && other && passedQueries && this.#queries.isHeeded(query)) {
      const asked = passedQueries.ask(other, query, this.#queries.postsUrlFor(query));
      const answer = await asked.catch(() => undefined);
      if (answer) return { answer, afterwards: () => {} };
    }
    return this.answerStartup(query);
  }

  /** The answer of this instance. The leader is not asked. */
  answerStartup(query: StartupQuery): Answered {
    return this.#needs.receiver()?.answerStartup(query) ?? this.#queries.answer(query);
  }

  /** Answers a query that another instance passed on. Undefined: this instance does not lead. */
  answerPassed(query: StartupQuery): Answered | undefined {
    return this.#needs.receiver()?.answerStartup(query);
  }

  inactiveAnswer(): StartupAnswer {
    return this.#queries.inactiveAnswer();
  }

  /** A token of a later term: another instance leads, and this one has not heard of it yet. */
  #receiverOf({ term = 0 }: TokenClaims): CallbackReceiver | undefined {
    const receiver = this.#needs.receiver();
    return receiver && term <= (receiver.term ?? 0) ? receiver : undefined;
  }

  async #pass(claims: TokenClaims, post: PassedPost): Promise<void> {
    const { leader, passed, inbox, isLeaving } = this.#needs;
    const other = leader();
    try {
      if (!other) throw new PostNotTaken('no instance leads');
      await passed.pass(other, post);
    } catch (error) {
      if (error instanceof InvalidPost) throw error;
      inbox.write({ kind: 'post', claims });
      if (!isLeaving()) throw error;
    }
  }

  #takeOne({ token, body }: PassedPost): PassedResult {
    const claims = this.tokens.read(token);
    if (!claims || !this.#receiverOf(claims)) return { code: 'token_unknown', message: '' };
    try {
      if (claims.kind === 'content') this.takeContent(claims.server, parseContent(body));
      else this.takePosted(claims, parsePosted(body));
      return null;
    } catch (error) {
      if (!(error instanceof InvalidPost)) throw error;
      this.noteUncountedPost(claims);
      return { code: error.code, message: error.message };
    }
  }
}
