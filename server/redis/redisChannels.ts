import type { Logger } from 'pino';
import type { Dependency } from '../dependencies/dependencies.js';
import { plainCause } from '../dependencies/plainCause.js';
import { RedisConnection } from './redisConnection.js';
import { type RedisOpener, type RedisTimeouts, redisOpener } from './redisOpener.js';
import { parseRedisTarget } from './redisTarget.js';
import { type SubscriptionKind as Kind, RefusedSubscriptions } from './refusedSubscriptions.js';
import {
  type ChannelFailure,
  type ChannelFollower,
  type Subscription,
  Subscriptions,
} from './subscriptions.js';

export type { ChannelFailure, ChannelFollower } from './subscriptions.js';

const kinds: readonly Kind[] = ['channel', 'pattern'];
/** Error replies of Redis for wrong credentials or missing permissions; before version 6 they are `ERR`. */
const refusal = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR operation not permitted)/;
export const redisRetryMs = { first: 100, max: 1500 };
/** Together at most 7.5 s: so long a Redis that hangs may stay unnoticed. */
export const defaultTimeouts: RedisTimeouts = { pingEveryMs: 4000, answerWithinMs: 3000 };

/** What a Redis that needs no more than its URL can do without. */
export interface RedisChannelsOptions extends RedisTimeouts {
  readonly sentinelPassword?: string | undefined;
  /** Is told whether Redis answers, and logs it. Default: this logs it. */
  readonly dependency?: Dependency | undefined;
}

/**
 * One Redis connection for all followed channels. Connects with the first follower and reconnects while
 * there is one. Tells followers when they begin and cease to receive messages.
 */
export class RedisChannels {
  readonly #open: RedisOpener;
  readonly #secrets: readonly (string | undefined)[];
  readonly #log: Logger;
  readonly #timeouts: RedisTimeouts;
  readonly #dependency: Dependency | undefined;
  readonly #subscriptions = { channel: new Subscriptions(), pattern: new Subscriptions() };
  readonly #refused = new RefusedSubscriptions((kind, name) => {
    if (this.#connection?.isReady) this.#subscribe(kind, name);
  });
  #connection: RedisConnection | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryAfterMs = redisRetryMs.first;
  #isClosed = false;
  /** Whether it stays connected without followers. */
  #isKeptOpen = false;
  /** What was last logged, so an outage is one line and not one for each attempt. */
  #logged: 'nothing' | 'connected' | 'lost' = 'nothing';

  /** `url`: like `REDIS_URL`. A Redis that hangs counts as lost after the sum of both timeouts. */
  constructor(
    url: string,
    log: Logger,
    { sentinelPassword, dependency, ...timeouts }: RedisChannelsOptions = defaultTimeouts,
  ) {
    const target = parseRedisTarget(url);
    this.#open = redisOpener(target, timeouts, sentinelPassword);
    this.#secrets = [target.password, sentinelPassword];
    this.#log = log;
    this.#timeouts = timeouts;
    this.#dependency = dependency;
  }

  /** Connects now, and stays connected without followers, so that it is known whether Redis answers. */
  keepOpen(): void {
    this.#isKeptOpen = true;
    if (!this.#isClosed && !this.#connection && !this.#retry) this.#connect();
  }

  /** Follows one channel by its literal name. The returned function ends that at once. */
  follow(channel: string, follower: ChannelFollower): () => void {
    return this.#add('channel', channel, follower);
  }

  /** Follows all channels that match a glob pattern of Redis (PSUBSCRIBE). */
  followPattern(pattern: string, follower: ChannelFollower): () => void {
    return this.#add('pattern', pattern, follower);
  }

  /** Closes for good: no follower is called afterwards. */
  close(): void {
    this.#isClosed = true;
    for (const kind of kinds) this.#subscriptions[kind].clear();
    this.#disconnect();
  }

  #add(kind: Kind, name: string, follower: ChannelFollower): () => void {
    if (this.#isClosed) return () => {};
    const subscription: Subscription = { follower, isSubscribed: false, failure: undefined };
    this.#subscriptions[kind].add(name, subscription);
    if (!this.#connection && !this.#retry) this.#connect();
    // Also if the name is subscribed already: the reply tells the new follower when.
    else if (this.#connection?.isReady) this.#subscribe(kind, name);
    return () => this.#remove(kind, name, subscription);
  }

  #remove(kind: Kind, name: string, subscription: Subscription): void {
    const isLast = this.#subscriptions[kind].remove(name, subscription);
    if (!isLast) return;
    this.#refused.forget(kind, name);
    const isUnused = kinds.every((each) => this.#subscriptions[each].size === 0);
    if (isUnused && !this.#isKeptOpen) this.#disconnect();
    else if (this.#connection?.isReady) this.#unsubscribe(this.#connection, kind, name);
  }

  #connect(): void {
    this.#retry = undefined;
    this.#connection = new RedisConnection(
      this.#open,
      {
        onReady: () => {
          for (const kind of kinds)
            for (const name of this.#subscriptions[kind].names()) this.#subscribe(kind, name);
        },
        onMessage: (message, channel) => this.#deliver('channel', channel, message, channel),
        onPatternMessage: (message, channel, pattern) =>
          this.#deliver('pattern', pattern, message, channel),
        onAnswer: () => this.#heard(),
        onRefusal: (reason) => this.#dependency?.failed(reason),
        onEnd: (reason) => this.#lost(reason),
      },
      this.#timeouts,
      this.#secrets,
    );
  }

  #disconnect(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#retryAfterMs = redisRetryMs.first;
    this.#refused.clear();
    this.#connection?.close();
    this.#connection = undefined;
    this.#logged = 'nothing';
  }

  #lost(reason: string): void {
    this.#connection = undefined;
    this.#refused.clear();
    this.#dependency?.failed(plainCause(reason));
    if (this.#logged !== 'lost' && !this.#dependency)
      this.#log.warn({ reason }, 'redis is unreachable; retrying');
    this.#logged = 'lost';
    this.#retry = setTimeout(() => this.#connect(), this.#retryAfterMs);
    this.#retryAfterMs = Math.min(redisRetryMs.max, this.#retryAfterMs * 2);
    const failure = refusal.test(reason) ? 'refused' : 'unreachable';
    for (const kind of kinds)
      for (const name of this.#subscriptions[kind].names())
        for (const subscription of this.#subscriptions[kind].of(name)) {
          if (subscription.isSubscribed) {
            subscription.isSubscribed = false;
            this.#notify(kind, name, subscription, ({ onLost }) => onLost());
          }
          this.#fail(kind, name, subscription, failure);
        }
  }

  #subscribe(kind: Kind, name: string): void {
    const connection = this.#connection;
    // Later followers send a SUBSCRIBE of their own.
    const pending = this.#subscriptions[kind].of(name).filter(({ isSubscribed }) => !isSubscribed);
    connection?.subscribe(kind, name).then(
      () => {
        if (this.#connection !== connection) return;
        this.#answered();
        if (this.#refused.forget(kind, name))
          this.#log.info({ [kind]: name }, 'redis accepted the subscription');
        for (const subscription of pending) {
          if (subscription.isSubscribed) continue;
          subscription.isSubscribed = true;
          subscription.failure = undefined;
          this.#notify(kind, name, subscription, ({ onSubscribed }) => onSubscribed());
        }
      },
      ({ name: error, message }: Error) => {
        // Any other error ends the connection, which `onEnd` handles for all subscriptions.
        if (error !== 'ReplyError' || this.#connection !== connection) return;
        if (pending.every((each) => !this.#subscriptions[kind].has(name, each))) return;
        if (this.#refused.add(kind, name))
          this.#log.warn(
            { [kind]: name, reason: message },
            'redis refused to subscribe: allow its user SUBSCRIBE, PSUBSCRIBE and all channels; retrying',
          );
        for (const subscription of pending)
          if (!subscription.isSubscribed) this.#fail(kind, name, subscription, 'refused');
      },
    );
  }

  #fail(kind: Kind, name: string, subscription: Subscription, cause: ChannelFailure): void {
    if (subscription.failure === cause) return;
    subscription.failure = cause;
    this.#notify(kind, name, subscription, ({ onFailed }) => onFailed?.(cause));
  }

  #unsubscribe(connection: RedisConnection, kind: Kind, name: string): void {
    connection.unsubscribe(kind, name).catch(({ message }: Error) => {
      this.#log.debug({ [kind]: name, reason: message }, 'redis did not unsubscribe');
    });
  }

  #answered(): void {
    this.#heard();
    if (this.#logged !== 'connected' && !this.#dependency)
      this.#log.info('following redis channels');
    this.#logged = 'connected';
  }

  #heard(): void {
    this.#retryAfterMs = redisRetryMs.first;
    this.#dependency?.answered();
  }

  #deliver(kind: Kind, name: string, message: Buffer, channel: string): void {
    for (const subscription of this.#subscriptions[kind].of(name))
      this.#notify(kind, name, subscription, ({ onMessage }) => onMessage(message, channel));
  }

  /** Calls a follower that has not left. Its errors must not affect others. */
  #notify(
    kind: Kind,
    name: string,
    subscription: Subscription,
    call: (follower: ChannelFollower) => void,
  ): void {
    if (!this.#subscriptions[kind].has(name, subscription)) return;
    try {
      call(subscription.follower);
    } catch (err) {
      this.#log.error({ err, [kind]: name }, 'a follower of a redis channel failed');
    }
  }
}
