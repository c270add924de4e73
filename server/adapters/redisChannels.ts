import { Redis } from 'ioredis';
import type { Logger } from 'pino';

/** Whoever follows a channel. */
export interface ChannelFollower {
  onMessage: (message: Buffer, channel: string) => void;
  /** From now on no message is missed. */
  onSubscribed: () => void;
  /** Messages are being missed. */
  onLost: () => void;
}

type Kind = 'channel' | 'pattern';

const retryMs = { first: 100, max: 2000 };

/**
 * One Redis connection for all channels that somebody follows. It connects with the first follower,
 * reconnects for as long as there is one, and tells each when messages begin and cease to come.
 */
export class RedisChannels {
  readonly #url: string;
  readonly #log: Logger;
  readonly #followers = { channel: new Followers(), pattern: new Followers() };
  #redis: Redis | undefined;
  #isReady = false;

  constructor(url: string, log: Logger) {
    this.#url = url;
    this.#log = log;
  }

  /** Follows one channel; the answer ends that. */
  follow(channel: string, follower: ChannelFollower): () => void {
    return this.#add('channel', channel, follower);
  }

  /** Follows all channels that match a glob pattern of Redis (PSUBSCRIBE). */
  followPattern(pattern: string, follower: ChannelFollower): () => void {
    return this.#add('pattern', pattern, follower);
  }

  close(): void {
    this.#redis?.disconnect();
    this.#redis = undefined;
  }

  #add(kind: Kind, name: string, follower: ChannelFollower): () => void {
    const followers = this.#followers[kind];
    followers.add(name, follower);
    this.#redis ??= this.#connect();
    // A name that is followed already is subscribed again: the answer tells the newcomer when.
    if (this.#isReady) this.#subscribe(kind, name, [follower]);
    return () => {
      const isLast = followers.remove(name, follower);
      if (isLast && this.#isReady) this.#unsubscribe(kind, name);
    };
  }

  #connect(): Redis {
    const redis = new Redis(this.#url, {
      // Redis before 6 knows no other.
      protocol: 2,
      // Only this class knows when a follower misses nothing: it subscribes by itself.
      autoResubscribe: false,
      maxRetriesPerRequest: null,
      enableReadyCheck: true,
      retryStrategy: (times) => Math.min(retryMs.max, retryMs.first * 2 ** Math.min(times, 10)),
    });
    redis.on('ready', () => this.#ready());
    redis.on('close', () => this.#lost());
    redis.on('error', (error) => this.#log.debug({ err: error }, 'redis does not answer'));
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      const name = channel.toString();
      for (const follower of this.#followers.channel.of(name)) follower.onMessage(message, name);
    });
    redis.on('pmessageBuffer', (pattern: string, channel: Buffer, message: Buffer) => {
      const name = channel.toString();
      for (const follower of this.#followers.pattern.of(String(pattern)))
        follower.onMessage(message, name);
    });
    return redis;
  }

  #ready(): void {
    this.#isReady = true;
    this.#log.info('following redis channels');
    for (const kind of ['channel', 'pattern'] as const)
      for (const [name, followers] of this.#followers[kind])
        this.#subscribe(kind, name, [...followers]);
  }

  #lost(): void {
    if (!this.#isReady) return;
    this.#isReady = false;
    this.#log.warn('redis is gone; reconnecting');
    for (const kind of ['channel', 'pattern'] as const)
      for (const [, followers] of this.#followers[kind])
        for (const follower of followers) follower.onLost();
  }

  #subscribe(kind: Kind, name: string, followers: readonly ChannelFollower[]): void {
    const redis = this.#redis;
    const done = kind === 'channel' ? redis?.subscribe(name) : redis?.psubscribe(name);
    done?.then(
      () => {
        for (const follower of followers)
          if (this.#followers[kind].of(name).has(follower)) follower.onSubscribed();
      },
      // The connection broke: the next one subscribes again.
      (error) => this.#log.debug({ err: error }, 'redis did not subscribe'),
    );
  }

  #unsubscribe(kind: Kind, name: string): void {
    const redis = this.#redis;
    const done = kind === 'channel' ? redis?.unsubscribe(name) : redis?.punsubscribe(name);
    done?.catch((error) => this.#log.debug({ err: error }, 'redis did not unsubscribe'));
  }
}

/** Followers by name. */
class Followers {
  readonly #byName = new Map<string, Set<ChannelFollower>>();

  add(name: string, follower: ChannelFollower): void {
    const known = this.#byName.get(name);
    if (known) known.add(follower);
    else this.#byName.set(name, new Set([follower]));
  }

  /** Whether it was the last of this name. */
  remove(name: string, follower: ChannelFollower): boolean {
    const known = this.#byName.get(name);
    if (!known?.delete(follower) || known.size > 0) return false;
    this.#byName.delete(name);
    return true;
  }

  of(name: string): ReadonlySet<ChannelFollower> {
    return this.#byName.get(name) ?? new Set();
  }

  [Symbol.iterator](): IterableIterator<[string, Set<ChannelFollower>]> {
    return this.#byName[Symbol.iterator]();
  }
}
