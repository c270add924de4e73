import { Cluster, Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Dependency } from '../dependencies/dependencies.js';
import { plainCause } from '../dependencies/plainCause.js';
import { optionsFor, sentinelOptionsFor } from '../redis/redisOpener.js';
import { parseRedisTarget, type RedisTarget } from '../redis/redisTarget.js';
import { secretsRemover } from '../redis/secretsRemover.js';
import { EvictingRedis, evictionPolicyOf } from './evictionPolicy.js';

export interface ConnectOptions {
  /** Like `CLUSTER_URL`. */
  readonly url: string;
  readonly sentinelPassword?: string | undefined;
  readonly log: Logger;
  /** For connecting, and for each answer. If Redis hangs for twice as long, the connection is replaced. */
  readonly deadlineMs: number;
  /** Is told whether Redis answers, and logs it. Default: this logs it. */
  readonly dependency?: Dependency | undefined;
}

export const clusterRetryMs = { first: 50, max: 500 };
export const checkAgainMs = 200;
/** There are a few commands a second, and one of them may be late. */
export const failuresBeforeNoted = 2;
const retryAfter = (attempts: number) =>
  Math.min(clusterRetryMs.max, clusterRetryMs.first * 2 ** Math.min(attempts - 1, 10));

/** The connection of an instance to the Redis of its cluster. ioredis reconnects it. */
export class ClusterConnection {
  readonly #client: Redis | Cluster;
  readonly #log: Logger;
  readonly #dependency: Dependency | undefined;
  readonly #withoutSecrets: (message: string) => string;
  /** Why no command may be sent: it is not connected, or Redis evicts. */
  #obstacle: Error | undefined = new Error('not connected to Redis');
  #reason = 'the connection was closed';
  #logged: 'nothing' | 'connected' | 'lost' = 'nothing';
  #checkAgain: NodeJS.Timeout | undefined;
  /** Commands in a row that were not answered. */
  #failures = 0;
  #isClosed = false;
  #listener: (obstacle: Error | undefined) => void = () => {};

  constructor({ url, sentinelPassword, log, deadlineMs, dependency }: ConnectOptions) {
    const target = parseRedisTarget(url);
    this.#log = log;
    this.#dependency = dependency;
    this.#withoutSecrets = secretsRemover([target.password, sentinelPassword]);
    this.#client = clientFor(target, deadlineMs, sentinelPassword);
    this.#client.on('error', (error: Error) => {
      this.#reason = this.#withoutSecrets(error.message);
    });
    this.#client.on('ready', () => void this.#check());
    // A primary that was promoted, or added.
    this.#client.on('+node', () => void this.#check());
    this.#client.on('close', () => this.#lost());
  }

  /**
   * Resolves when commands can be sent, or after `ms` if Redis is away: then it goes on trying. Rejects with
   * `EvictingRedis` if Redis may evict the lease.
   */
  connected(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      this.#listener = (obstacle) => {
        if (obstacle && !(obstacle instanceof EvictingRedis)) return;
        clearTimeout(timer);
        this.#listener = () => {};
        if (obstacle) reject(obstacle);
        else resolve();
      };
      this.#listener(this.#obstacle);
    });
  }

  /** Throws if commands cannot be sent now. */
  get client(): Redis | Cluster {
    if (this.#obstacle) throw this.#obstacle;
    return this.#client;
  }

  /** Why a command was not answered. Undefined: it was. */
  noteOutcome(error?: Error): void {
    // An obstacle was noted when it appeared.
    if (this.#isClosed || this.#obstacle) return;
    this.#failures = error ? this.#failures + 1 : 0;
    if (!error) this.#dependency?.answered();
    else if (this.#failures >= failuresBeforeNoted)
      this.#dependency?.failed(plainCause(this.#withoutSecrets(error.message)));
  }

  /** The client whether or not commands may be sent. For tests only. */
  get uncheckedClient(): Redis | Cluster {
    return this.#client;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#checkAgain);
    this.#obstacle = new Error('the connection to Redis was closed');
    this.#client.disconnect();
    // A Redis that hangs would not close its end.
    for (const redis of nodesOf(this.#client)) redis.stream?.destroy();
  }

  /** Repeats itself until Redis answers, or the connection is lost. */
  async #check(): Promise<void> {
    clearTimeout(this.#checkAgain);
    try {
      const policies = await Promise.all(primariesOf(this.#client).map(evictionPolicyOf));
      const evicting = policies.find((policy) => policy !== undefined && policy !== 'noeviction');
      if (policies.includes(undefined) && this.#logged === 'nothing')
        this.#log.warn('the Redis of CLUSTER_URL does not tell its maxmemory-policy');
      this.#set(evicting === undefined ? undefined : new EvictingRedis(evicting));
    } catch (error) {
      this.#reason = this.#withoutSecrets((error as Error).message);
      if (this.#isClosed || this.#client.status !== 'ready') return;
      if ((error as Error).name === 'ReplyError') this.#lost();
      // A Redis that hangs accepts connections.
      this.#checkAgain = setTimeout(() => void this.#check(), checkAgainMs);
    }
  }

  #set(obstacle: Error | undefined): void {
    if (this.#isClosed) return;
    this.#obstacle = obstacle;
    if (obstacle) this.#dependency?.failed(obstacle.message);
    else this.#dependency?.answered();
    if (obstacle)
      this.#log.error({ reason: obstacle.message }, 'the Redis of the cluster is refused');
    else if (this.#logged !== 'connected') this.#log.info('connected to the Redis of the cluster');
    this.#logged = obstacle ? 'lost' : 'connected';
    this.#listener(obstacle);
  }

  #lost(): void {
    if (this.#isClosed) return;
    this.#obstacle = new Error(`Redis is unreachable: ${this.#reason}`);
    this.#dependency?.failed(plainCause(this.#reason));
    if (this.#logged !== 'lost' && !this.#dependency)
      this.#log.warn({ reason: this.#reason }, 'the Redis of the cluster is unreachable; retrying');
    this.#logged = 'lost';
  }
}

const nodesOf = (client: Redis | Cluster) =>
  client instanceof Cluster ? client.nodes() : [client];
const primariesOf = (client: Redis | Cluster) =>
  client instanceof Cluster ? client.nodes('master') : [client];

/** No offline queue and no resending: a renewal that is late must fail, not be sent later. */
function clientFor(
  target: RedisTarget,
  deadlineMs: number,
  sentinelPassword: string | undefined,
): Redis | Cluster {
  const timeouts = { pingEveryMs: deadlineMs, answerWithinMs: deadlineMs };
  const options = {
    ...optionsFor(target, timeouts),
    commandTimeout: deadlineMs,
    // ioredis waits for this time with a timer that keeps the process alive.
    disconnectTimeout: 100,
    socketTimeout: 2 * deadlineMs,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
  if (target.kind === 'cluster') return clusterFor(target, options);
  const reconnecting = { ...options, retryStrategy: retryAfter };
  if (target.kind === 'single') return new Redis({ ...reconnecting, ...target.nodes[0] });
  return new Redis({
    ...reconnecting,
    ...sentinelOptionsFor(target, timeouts, sentinelPassword),
    sentinelRetryStrategy: retryAfter,
    // A primary that became a replica is left at once.
    failoverDetector: true,
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
  });
}

function clusterFor(
  { nodes }: RedisTarget,
  { retryStrategy: _, enableOfflineQueue: __, ...redisOptions }: ReturnType<typeof optionsFor>,
): Cluster {
  return new Cluster([...nodes], {
    redisOptions,
    enableOfflineQueue: false,
    slotsRefreshTimeout: redisOptions.connectTimeout,
    clusterRetryStrategy: retryAfter,
    // It sends again only what a node refused to execute.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
  });
}
