import { Cluster, Redis } from 'ioredis';
import type { RedisNode, RedisTarget } from './redisTarget.js';

/** How soon a Redis that hangs is noticed: within the sum of both. */
export interface RedisPatience {
  /** Between two PINGs. */
  readonly pingEveryMs: number;
  /** How long nothing at all may come while an answer is due. Also the limit of connecting. */
  readonly answerWithinMs: number;
}

/** Opens a connection to a Redis for subscriptions, whenever it is called: to a place that may be another than before. */
export type RedisOpener = (signal: AbortSignal) => Redis | Promise<Redis>;

type Options = ReturnType<typeof optionsFor>;

/**
 * The way to a Redis: directly, by Sentinels, or to any node of a cluster, for each of them brings all messages.
 * `sentinelPassword`: of the Sentinels themselves.
 */
export function redisOpener(
  target: RedisTarget,
  patience: RedisPatience,
  sentinelPassword?: string,
): RedisOpener {
  const options = optionsFor(target, patience);
  const { kind, nodes, isTls, name = '' } = target;
  if (kind === 'cluster') return clusterOpener(nodes, options);
  if (kind === 'single') return () => new Redis({ ...options, ...(nodes[0] as RedisNode) });
  return () =>
    new Redis({
      ...options,
      sentinels: [...nodes],
      name,
      ...(sentinelPassword !== undefined && { sentinelPassword }),
      ...(isTls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
      sentinelCommandTimeout: patience.answerWithinMs,
      // Whoever opened it tries again.
      sentinelRetryStrategy: () => null,
    });
}

function optionsFor({ isTls, username, password, db }: RedisTarget, patience: RedisPatience) {
  return {
    // Redis before 6 knows no other.
    protocol: 2 as const,
    // One life, so that no command of an earlier one is sent again after those of the next.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResubscribe: false,
    // Users that may do nothing but subscribe cannot ask for INFO; subscribing has its own answer.
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: patience.answerWithinMs,
    socketTimeout: patience.answerWithinMs,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(db !== undefined && { db }),
    ...(isTls && { tls: {} }),
  };
}

function clusterOpener(given: readonly RedisNode[], options: Options): RedisOpener {
  let last: RedisNode | undefined;
  return async (signal) => {
    const known = [...given, ...(await nodesOf(given, options, signal))];
    // The last one has just ended.
    const others = known.filter(({ host, port }) => host !== last?.host || port !== last.port);
    const candidates = others.length > 0 ? others : known;
    last = candidates[Math.floor(Math.random() * candidates.length)] as RedisNode;
    return new Redis({ ...options, ...last });
  };
}

/** The nodes that the cluster has now; none: nobody says so, or this user may not ask. */
async function nodesOf(
  given: readonly RedisNode[],
  { retryStrategy: _, enableOfflineQueue: __, ...redisOptions }: Options,
  signal: AbortSignal,
): Promise<RedisNode[]> {
  const cluster = new Cluster([...given], {
    redisOptions,
    lazyConnect: true,
    // Only CLUSTER SLOTS is asked.
    enableReadyCheck: false,
    slotsRefreshTimeout: redisOptions.connectTimeout,
    clusterRetryStrategy: () => null,
  });
  const stop = () => cluster.disconnect();
  cluster.on('error', () => undefined);
  signal.addEventListener('abort', stop);
  try {
    await cluster.connect();
    return cluster.nodes().map(({ options: { host = '', port = 0 } }) => ({ host, port }));
  } catch {
    return [];
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
