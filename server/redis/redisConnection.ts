import type { Redis } from 'ioredis';
import type { RedisOpener, RedisPatience } from './redisOpener.js';

/** What a connection tells; `onEnd` once, whether it ever was ready or not, and nothing after it. */
export interface RedisConnectionListener {
  /** Commands can be sent. It proves no more than a TCP connection: Redis may still not answer. */
  onReady: () => void;
  onMessage: (message: Buffer, channel: string) => void;
  onPatternMessage: (message: Buffer, channel: string, pattern: string) => void;
  /** The reason holds no secret: it can be logged. */
  onEnd: (reason: string) => void;
}

/** One connection to Redis for subscriptions; its maker closes it, and makes a new one when it ends. */
export class RedisConnection {
  readonly #listener: RedisConnectionListener;
  readonly #secrets: readonly string[];
  readonly #pings: NodeJS.Timeout;
  readonly #stop = new AbortController();
  /** Undefined until it is known where to connect to. */
  #redis: Redis | undefined;
  #isReady = false;
  #isOver = false;
  #reason = 'the connection was closed';

  /** `secrets`: never in a reason. */
  constructor(
    open: RedisOpener,
    listener: RedisConnectionListener,
    { pingEveryMs }: RedisPatience,
    secrets: readonly string[],
  ) {
    this.#listener = listener;
    this.#secrets = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]);
    this.#pings = setInterval(() => this.#ping(), pingEveryMs);
    const opened = open(this.#stop.signal);
    if (!(opened instanceof Promise)) this.#listen(opened);
    else
      void opened.then((redis) => {
        if (this.#isOver) redis.disconnect();
        else this.#listen(redis);
      });
  }

  get isReady(): boolean {
    return this.#isReady && !this.#isOver;
  }

  /** Resolves when no message of the channel is missed any more. */
  subscribe(kind: 'channel' | 'pattern', name: string): Promise<unknown> {
    const redis = this.#opened;
    return kind === 'channel' ? redis.subscribe(name) : redis.psubscribe(name);
  }

  unsubscribe(kind: 'channel' | 'pattern', name: string): Promise<unknown> {
    const redis = this.#opened;
    return kind === 'channel' ? redis.unsubscribe(name) : redis.punsubscribe(name);
  }

  /** Ends it at once, without `onEnd`. */
  close(): void {
    if (this.#isOver) return;
    this.#over();
    this.#stop.abort();
    this.#redis?.disconnect();
    // A Redis that hangs would not close its side.
    this.#redis?.stream?.destroy();
  }

  get #opened(): Redis {
    if (!this.#redis) throw new Error('the connection to Redis is not open');
    return this.#redis;
  }

  #listen(redis: Redis): void {
    this.#redis = redis;
    redis.on('ready', () => {
      if (this.#isOver) return;
      this.#isReady = true;
      this.#listener.onReady();
    });
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      if (!this.#isOver) this.#listener.onMessage(message, channel.toString());
    });
    redis.on('pmessageBuffer', (pattern: string, channel: Buffer, message: Buffer) => {
      if (!this.#isOver) this.#listener.onPatternMessage(message, channel.toString(), pattern);
    });
    redis.on('error', (error: Error) => {
      this.#reason = withoutSecrets(error.message, this.#secrets);
    });
    redis.on('end', () => {
      if (this.#isOver) return;
      this.#over();
      this.#listener.onEnd(this.#reason);
    });
  }

  #over(): void {
    this.#isOver = true;
    clearInterval(this.#pings);
  }

  #ping(): void {
    if (this.isReady) this.#redis?.ping().catch(() => undefined);
  }
}

// Redis quotes what it was sent; the error itself has the arguments of AUTH, so it is not logged.
function withoutSecrets(message: string, secrets: readonly string[]): string {
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message);
}
