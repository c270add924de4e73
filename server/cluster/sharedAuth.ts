import { createHmac } from 'node:crypto';
import { Attempts, attemptWindowSeconds, maxWrongTokens } from '../http/auth/attempts.js';
import { sessionLifetimeMs } from '../http/auth/sessions.js';
import type { ClusterConnection } from './connect.js';
import { clusterKeys } from './keys.js';
import { RedisSignOuts } from './redisSignOuts.js';
import { SharedLimiter } from './sharedLimiter.js';

/** What the instances of a cluster share about signing in. */
export interface SharedAuth {
  attempts: Attempts;
  signOuts: RedisSignOuts;
}

/** Where it is kept; tests keep it elsewhere. */
type AuthKeys = Record<'attempts' | 'signOuts' | 'aboutSignOuts', string>;

/** What tests change. */
interface SharedAuthOptions {
  keys?: AuthKeys;
  pollMs?: number;
  /** Deadline of an answer of Redis about wrong tokens. */
  deadlineMs?: number;
}

/** Over the connection of the cluster, which it does not own. The caller closes `signOuts`. */
export function sharedAuth(
  connection: Pick<ClusterConnection, 'client'>,
  clusterSecret: string,
  { keys = clusterKeys, pollMs = 1000, deadlineMs }: SharedAuthOptions = {},
): SharedAuth {
  const limiter = (of: string, points: number) =>
    new SharedLimiter(connection, {
      key: `${keys.attempts}:${of}`,
      points,
      durationSeconds: attemptWindowSeconds,
      deadlineMs,
    });
  return {
    attempts: new Attempts({
      byAddress: limiter('address', maxWrongTokens.perAddress),
      inAll: limiter('all', maxWrongTokens.inAll),
      secret: createHmac('sha256', clusterSecret).update('addresses of wrong tokens').digest(),
    }),
    signOuts: new RedisSignOuts(connection, {
      keys: { signOuts: keys.signOuts, about: keys.aboutSignOuts },
      pollMs,
      sessionMs: sessionLifetimeMs,
    }),
  };
}
