import { Redis } from 'ioredis';

/** What a connection tells; `onEnd` once, whether it ever was ready or not, and nothing after it. */
export interface RedisConnectionListener {
  /** Commands can be sent. It proves no more than a TCP connection: Redis may still not answer. */
  onReady: () => void;
  onMessage: (message: Buffer, channel: string) => void;
  onPatternMessage: (message: Buffer, channel: string, pattern: string) => void;
  /** The reason holds no secret: it can be logged. */
  onEnd: (reason: string) => void;
}

/** How soon a Redis that hangs is noticed: within the sum of both. */
export interface RedisPatience {
  /** Between two PINGs. */
  readonly pingEveryMs: number;
  /** How long nothing at all may come while an answer is due. Also the limit of connecting. */
  readonly answerWithinMs: number;
}

/** One connection to Redis for subscriptions; its maker closes it, and makes a new one when it ends. */
export class RedisConnection {
  readonly #redis: Redis;
  readonly #listener: RedisConnectionListener;
  readonly #pings: NodeJS.Timeout;
  #isReady = false;
  #isOver = false;
  #reason = 'the connection was closed';

  constructor(url: string, listener: RedisConnectionListener, patience: RedisPatience) {
    this.#listener = listener;
    this.#redis = new Redis(url, {
      // Redis before 6 knows no other.
      protocol: 2,
      // One life, so that no command of an earlier one is sent again after those of the next.
      retryStrategy: () => null,
      enableOfflineQueue: false,
      autoResubscribe: false,
      // Users that may do nothing but subscribe cannot ask for INFO; subscribing has its own answer.
      enableReadyCheck: false,
      disableClientInfo: true,
      connectTimeout: patience.answerWithinMs,
      socketTimeout: patience.answerWithinMs,
    });
    this.#listen(url);
    this.#pings = setInterval(() => this.#ping(), patience.pingEveryMs);
  }

  get isReady(): boolean {
    return this.#isReady && !this.#isOver;
  }

  /** Resolves when no message of the channel is missed any more. */
  subscribe(kind: 'channel' | 'pattern', name: string): Promise<unknown> {
    return kind === 'channel' ? this.#redis.subscribe(name) : this.#redis.psubscribe(name);
  }

  unsubscribe(kind: 'channel' | 'pattern', name: string): Promise<unknown> {
    return kind === 'channel' ? this.#redis.unsubscribe(name) : this.#redis.punsubscribe(name);
  }

  /** Ends it at once, without `onEnd`. */
  close(): void {
    if (this.#isOver) return;
    this.#over();
    this.#redis.disconnect();
    // A Redis that hangs would not close its side.
    this.#redis.stream?.destroy();
  }

  #listen(url: string): void {
    const redis = this.#redis;
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
      this.#reason = withoutSecret(error.message, url);
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
    if (this.isReady) this.#redis.ping().catch(() => undefined);
  }
}

// Redis quotes what it was sent; the error itself has the arguments of AUTH, so it is not logged.
function withoutSecret(message: string, url: string): string {
  const { password } = new URL(url);
  const secrets = [decodeURIComponent(password), password].filter((secret) => secret !== '');
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message);
}
