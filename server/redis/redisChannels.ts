import type { Logger } from 'pino';
import {
  type ChannelFailure,
  type ChannelFollower,
  type Following,
  Followings,
} from './channelFollowers.js';
import { RedisConnection } from './redisConnection.js';
import { type RedisOpener, type RedisPatience, redisOpener } from './redisOpener.js';
import { parseRedisTarget } from './redisTarget.js';
import { RefusedSubscriptions, type SubscriptionKind } from './refusedSubscriptions.js';

export type { ChannelFailure, ChannelFollower } from './channelFollowers.js';

type Kind = SubscriptionKind;

const kinds: readonly Kind[] = ['channel', 'pattern'];
/** How Redis begins to say that the credentials or permissions do not do; before 6: an `ERR`. */
const refusal = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR operation not permitted)/;
const retryMs = { first: 100, max: 2000 };
export const defaultPatience: RedisPatience = { pingEveryMs: 5000, answerWithinMs: 5000 };

/**
 * One Redis connection for all channels that somebody follows. It connects with the first follower,
 * reconnects for as long as there is one, and tells each when messages begin and cease to come.
 */
export class RedisChannels {
  readonly #open: RedisOpener;
  readonly #secrets: readonly string[];
  readonly #log: Logger;
  readonly #patience: RedisPatience;
  readonly #followings = { channel: new Followings(), pattern: new Followings() };
  readonly #refused = new RefusedSubscriptions((kind, name) => {
    if (this.#connection?.isReady) this.#subscribe(kind, name);
  });
  #connection: RedisConnection | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryAfterMs = retryMs.first;
  #isClosed = false;
  /** What the log was told last: an outage is one line, not one for each attempt. */
  #told: 'nothing' | 'there' | 'gone' = 'nothing';

  /** `url`: as `REDIS_URL` has it. A Redis that hangs counts as lost within the sum of `patience`. */
  constructor(
    url: string,
    log: Logger,
    {
      sentinelPassword,
      ...patience
    }: RedisPatience & { sentinelPassword?: string | undefined } = defaultPatience,
  ) {
    const target = parseRedisTarget(url);
    this.#open = redisOpener(target, patience, sentinelPassword);
    this.#secrets = [target.password, sentinelPassword].filter((secret) => secret !== undefined);
    this.#log = log;
    this.#patience = patience;
  }

  /** Follows one channel, whose name is taken literally; the answer ends that, at once. */
  follow(channel: string, follower: ChannelFollower): () => void {
    return this.#add('channel', channel, follower);
  }

  /** Follows all channels that match a glob pattern of Redis (PSUBSCRIBE). */
  followPattern(pattern: string, follower: ChannelFollower): () => void {
    return this.#add('pattern', pattern, follower);
  }

  /** Ends everything for ever. Nobody is told anything after it. */
  close(): void {
    this.#isClosed = true;
    for (const kind of kinds) this.#followings[kind].clear();
    this.#disconnect();
  }

  #add(kind: Kind, name: string, follower: ChannelFollower): () => void {
    if (this.#isClosed) return () => {};
    const following: Following = { follower, isSubscribed: false, failure: undefined };
    this.#followings[kind].add(name, following);
    if (!this.#connection && !this.#retry) this.#connect();
    // A name that is followed already is subscribed again: the answer tells the newcomer when.
    else if (this.#connection?.isReady) this.#subscribe(kind, name);
    return () => this.#remove(kind, name, following);
  }

  #remove(kind: Kind, name: string, following: Following): void {
    const isLast = this.#followings[kind].remove(name, following);
    if (!isLast) return;
    this.#refused.forget(kind, name);
    if (kinds.every((each) => this.#followings[each].size === 0)) this.#disconnect();
    else if (this.#connection?.isReady) this.#unsubscribe(this.#connection, kind, name);
  }

  #connect(): void {
    this.#retry = undefined;
    this.#connection = new RedisConnection(
      this.#open,
      {
        onReady: () => {
          for (const kind of kinds)
            for (const name of this.#followings[kind].names()) this.#subscribe(kind, name);
        },
        onMessage: (message, channel) => this.#deliver('channel', channel, message, channel),
        onPatternMessage: (message, channel, pattern) =>
          this.#deliver('pattern', pattern, message, channel),
        onEnd: (reason) => this.#lost(reason),
      },
      this.#patience,
      this.#secrets,
    );
  }

  #disconnect(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#retryAfterMs = retryMs.first;
    this.#refused.clear();
    this.#connection?.close();
    this.#connection = undefined;
    this.#told = 'nothing';
  }

  #lost(reason: string): void {
    this.#connection = undefined;
    this.#refused.clear();
    if (this.#told !== 'gone') this.#log.warn({ reason }, 'redis is not there; trying again');
    this.#told = 'gone';
    this.#retry = setTimeout(() => this.#connect(), this.#retryAfterMs);
    this.#retryAfterMs = Math.min(retryMs.max, this.#retryAfterMs * 2);
    const failure = refusal.test(reason) ? 'refused' : 'away';
    for (const kind of kinds)
      for (const name of this.#followings[kind].names())
        for (const following of this.#followings[kind].of(name)) {
          if (following.isSubscribed) {
            following.isSubscribed = false;
            this.#tell(kind, name, following, ({ onLost }) => onLost());
          }
          this.#fail(kind, name, following, failure);
        }
  }

  #subscribe(kind: Kind, name: string): void {
    const connection = this.#connection;
    // Who follows it later has an answer of its own.
    const newcomers = this.#followings[kind].of(name).filter(({ isSubscribed }) => !isSubscribed);
    connection?.subscribe(kind, name).then(
      () => {
        if (this.#connection !== connection) return;
        this.#answered();
        if (this.#refused.forget(kind, name))
          this.#log.info({ [kind]: name }, 'redis lets this service subscribe now');
        for (const following of newcomers) {
          if (following.isSubscribed) continue;
          following.isSubscribed = true;
          following.failure = undefined;
          this.#tell(kind, name, following, ({ onSubscribed }) => onSubscribed());
        }
      },
      ({ name: error, message }: Error) => {
        // Anything but an answer of Redis is the end of the connection, which is told once for all.
        if (error !== 'ReplyError' || this.#connection !== connection) return;
        if (newcomers.every((each) => !this.#followings[kind].has(name, each))) return;
        if (this.#refused.add(kind, name))
          this.#log.warn(
            { [kind]: name, reason: message },
            'redis refused to subscribe: allow its user SUBSCRIBE, PSUBSCRIBE and all channels; trying again',
          );
        for (const following of newcomers)
          if (!following.isSubscribed) this.#fail(kind, name, following, 'refused');
      },
    );
  }

  #fail(kind: Kind, name: string, following: Following, cause: ChannelFailure): void {
    if (following.failure === cause) return;
    following.failure = cause;
    this.#tell(kind, name, following, ({ onFailed }) => onFailed?.(cause));
  }

  #unsubscribe(connection: RedisConnection, kind: Kind, name: string): void {
    connection.unsubscribe(kind, name).catch(({ message }: Error) => {
      this.#log.debug({ [kind]: name, reason: message }, 'redis did not unsubscribe');
    });
  }

  #answered(): void {
    this.#retryAfterMs = retryMs.first;
    if (this.#told !== 'there') this.#log.info('following redis channels');
    this.#told = 'there';
  }

  #deliver(kind: Kind, name: string, message: Buffer, channel: string): void {
    for (const following of this.#followings[kind].of(name))
      this.#tell(kind, name, following, ({ onMessage }) => onMessage(message, channel));
  }

  /** Unless it has left; its mistakes are its own. */
  #tell(kind: Kind, name: string, following: Following, say: (to: ChannelFollower) => void): void {
    if (!this.#followings[kind].has(name, following)) return;
    try {
      say(following.follower);
    } catch (err) {
      this.#log.error({ err, [kind]: name }, 'a follower of a redis channel failed');
    }
  }
}
