import type { Redis } from 'ioredis';

/** Redis may delete the lease, or what the cluster remembers, when its memory is full. */
export class EvictingRedis extends Error {
  override readonly name = 'EvictingRedis';

  constructor(policy: string) {
    super(
      `The Redis of CLUSTER_URL has maxmemory-policy '${policy}', so it may delete the lease. Set it to 'noeviction', or use a Redis of its own.`,
    );
  }
}

/** The `maxmemory-policy` of a server; undefined if its user may not read it. Rejects if it does not answer. */
export async function evictionPolicyOf(redis: Redis): Promise<string | undefined> {
  const told = await unlessRefused(redis.info('memory'));
  const policy = /^maxmemory_policy:(\S+)/m.exec(told ?? '')?.[1];
  if (policy !== undefined) return policy;
  const entry = await unlessRefused(redis.config('GET', 'maxmemory-policy'));
  const value: unknown = Array.isArray(entry) ? entry[1] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The login is missing or wrong, so no command will work. */
const isLogin = (message: string) => /^(NOAUTH|WRONGPASS)/.test(message);

/** Undefined: the command is not allowed, or managed Redis does not know it. */
async function unlessRefused<T>(reply: Promise<T>): Promise<T | undefined> {
  return reply.catch((error: Error) => {
    if (error.name !== 'ReplyError' || isLogin(error.message)) throw error;
    return undefined;
  });
}
