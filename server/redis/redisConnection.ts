import type { Redis } from 'ioredis';
import type { RedisOpener, RedisTimeouts } from './redisOpener.js';
import { secretsRemover } from './secretsRemover.js';

/** Callbacks of a connection. `onEnd` is called once, also if it never was ready, and nothing after it. */
export interface RedisConnectionListener {
  /** Commands can be sent. Only the TCP connection is proven: Redis may still not answer. */
  onReady: () => void;
  onMessage: (message: Buffer, channel: string) => void;
  onPatternMessage: (message: Buffer, channel: string, pattern: string) => void;
  /** Redis answered a PING. */
  onAnswer?: () => void;
  /** Redis refused a PING, although its user may send it. The reason contains no secrets. */
  onRefusal?: (reason: string) => void;
  /** The reason contains no secrets, so it can be logged. */
  onEnd: (reason: string) => void;
}

/** One connection to Redis for subscriptions. Its owner closes it, and creates another when it ends. */
export class RedisConnection {
  readonly #listener: RedisConnectionListener;
  readonly #withoutSecrets: (message: string) => string;
  readonly #pings: NodeJS.Timeout;
  readonly #stop = new AbortController();
  /** Undefined until the node is known. */
  #redis: Redis | undefined;
  #isReady = false;
  #isEnded = false;
  #reason = 'the connection was closed';

  /** `secrets` are removed from reasons. */
  constructor(
    open: RedisOpener,
    listener: RedisConnectionListener,
    { pingEveryMs }: RedisTimeouts,
    secrets: readonly (string | undefined)[],
  ) {
    this.#listener = listener;
    this.#withoutSecrets = secretsRemover(secrets);
    this.#pings = setInterval(() => this.#ping(), pingEveryMs);
    const opened = open(this.#stop.signal);
    if (!(opened instanceof Promise)) this.#listen(opened);
    else
      void opened.then((redis) => {
        if (this.#isEnded) redis.disconnect();
        else this.#listen(redis);
      });
  }

  get isReady(): boolean {
    return this.#isReady && !this.#isEnded;
  }

  /** Resolves when no more messages are missed. */
  subscribe(kind: 'channel' | 'pattern', name: string): Promise<unknown> {
    const redis = this.#client;
    return kind === 'channel' ? redis.subscribe(name) : redis.psubscribe(name);
  }

  unsubscribe(kind: 'channel' | 'pattern', name: string): Promise<unknown> {
    const redis = this.#client;
    return kind === 'channel' ? redis.unsubscribe(name) : redis.punsubscribe(name);
  }

  /** Closes it at once, without `onEnd`. */
  close(): void {
    if (this.#isEnded) return;
    this.#markEnded();
    this.#stop.abort();
    this.#redis?.disconnect();
    // A Redis that hangs would not close its end.
    this.#redis?.stream?.destroy();
  }

  get #client(): Redis {
    if (!this.#redis) throw new Error('the connection to Redis is not open');
    return this.#redis;
  }

  #listen(redis: Redis): void {
    this.#redis = redis;
    redis.on('ready', () => {
      if (this.#isEnded) return;
      this.#isReady = true;
      this.#listener.onReady();
      this.#ping();
    });
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      if (!this.#isEnded) this.#listener.onMessage(message, channel.toString());
    });
    redis.on('pmessageBuffer', (pattern: string, channel: Buffer, message: Buffer) => {
      if (!this.#isEnded) this.#listener.onPatternMessage(message, channel.toString(), pattern);
    });
    redis.on('error', (error: Error) => {
      this.#reason = this.#withoutSecrets(error.message);
    });
    redis.on('end', () => {
      if (this.#isEnded) return;
      this.#markEnded();
      this.#listener.onEnd(this.#reason);
    });
  }

  #markEnded(): void {
    this.#isEnded = true;
    clearInterval(this.#pings);
  }

  #ping(): void {
    if (!this.isReady) return;
    this.#redis?.ping().then(
      () => this.#noteAnswer(),
      ({ name, message }: Error) => {
        // Any other error ends the connection.
        if (name !== 'ReplyError' || this.#isEnded) return;
        if (message.startsWith('NOPERM')) this.#noteAnswer();
        else this.#listener.onRefusal?.(this.#withoutSecrets(message));
      },
    );
  }

  #noteAnswer(): void {
    if (!this.#isEnded) this.#listener.onAnswer?.();
  }
}
