import { Cluster, Redis } from 'ioredis';
import type { RedisNode, RedisTarget } from './redisTarget.js';

/** Timeouts of a connection. A Redis that hangs is noticed after the sum of both. */
export interface RedisTimeouts {
  /** Between two PINGs. */
  readonly pingEveryMs: number;
  /** Longest time without any data while a reply is pending; also the limit for connecting. */
  readonly answerWithinMs: number;
}

/** Opens a connection for subscriptions. Each call may choose another node. */
export type RedisOpener = (signal: AbortSignal) => Redis | Promise<Redis>;

type Options = ReturnType<typeof optionsFor>;

/**
 * How to connect: directly, to the primary that Sentinels know, or to any node of a cluster, because every
 * node delivers all messages. `sentinelPassword`: for the Sentinels themselves.
 */
export function redisOpener(
  target: RedisTarget,
  timeouts: RedisTimeouts,
  sentinelPassword?: string,
): RedisOpener {
  const options = optionsFor(target, timeouts);
  const { kind, nodes } = target;
  if (kind === 'cluster') return clusterOpener(nodes, options);
  if (kind === 'single') return () => new Redis({ ...options, ...(nodes[0] as RedisNode) });
  return () =>
    new Redis({
      ...options,
      ...sentinelOptionsFor(target, timeouts, sentinelPassword),
      // `RedisChannels` retries.
      sentinelRetryStrategy: () => null,
    });
}

/** Options of ioredis for a connection that neither queues, resends nor reconnects. */
export function optionsFor(
  { isTls, username, password, db }: RedisTarget,
  timeouts: RedisTimeouts,
) {
  return {
    // Redis before 6 knows only this protocol.
    protocol: 2 as const,
    // No reconnects by ioredis: it could resend commands of the lost connection after newer ones.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResubscribe: false,
    // Not by INFO: users that may only subscribe are not allowed to send it.
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: timeouts.answerWithinMs,
    socketTimeout: timeouts.answerWithinMs,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(db !== undefined && { db }),
    ...(isTls && { tls: {} }),
  };
}

/** Options of ioredis for finding the primary that Sentinels know. */
export function sentinelOptionsFor(
  { nodes, isTls, name = '' }: RedisTarget,
  { answerWithinMs }: Pick<RedisTimeouts, 'answerWithinMs'>,
  sentinelPassword: string | undefined,
) {
  return {
    sentinels: [...nodes],
    name,
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(isTls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: answerWithinMs,
  };
}

function clusterOpener(given: readonly RedisNode[], options: Options): RedisOpener {
  let last: RedisNode | undefined;
  return async (signal) => {
    const known = [...given, ...(await nodesOf(given, options, signal))];
    // Another node than the last one: that connection has just ended.
    const others = known.filter(({ host, port }) => host !== last?.host || port !== last.port);
    const candidates = others.length > 0 ? others : known;
    last = candidates[Math.floor(Math.random() * candidates.length)] as RedisNode;
    return new Redis({ ...options, ...last });
  };
}

/** The current nodes of the cluster; empty if no node tells, or the user may not ask. */
async function nodesOf(
  given: readonly RedisNode[],
  { retryStrategy: _, enableOfflineQueue: __, ...redisOptions }: Options,
  signal: AbortSignal,
): Promise<RedisNode[]> {
  const cluster = new Cluster([...given], {
    redisOptions,
    lazyConnect: true,
    // CLUSTER SLOTS is enough.
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
