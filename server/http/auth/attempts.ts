import { createHmac, randomBytes } from 'node:crypto';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { subscriberOf } from '../../addresses.js';
import { apiError } from '../errors.js';

/** Wrong tokens accepted in a minute; docs/security.md has the same numbers. */
export const maxWrongTokens = { perAddress: 10, inAll: 300 };
export const attemptWindowSeconds = 60;
/** Addresses are hashed to this many keys, which bounds the memory. */
const maxAddresses = 4096;

/** Where wrong tokens are counted: a limiter of rate-limiter-flexible, or something like it. */
export interface AttemptLimiter {
  /** Attempts allowed in the window. */
  readonly points: number;
  get(key: string): Promise<Consumption | null>;
  /** Counts one; rejects with a `Consumption` if that is too many. */
  consume(key: string): Promise<unknown>;
}

export interface Consumption {
  consumedPoints: number;
  msBeforeNext: number;
}

/** The two limits, and the secret that hashes addresses. */
export interface AttemptLimits {
  byAddress: AttemptLimiter;
  inAll: AttemptLimiter;
  /** Nobody may know it, so a client cannot choose an address with the key of another one. */
  secret: Buffer;
}

/** Rate limit for wrong tokens. After too many, correct tokens are refused as well. */
export class Attempts {
  readonly #limits: AttemptLimits;

  /** By default it counts in this process. */
  constructor(limits: AttemptLimits = limitsInMemory()) {
    this.#limits = limits;
  }

  /** Returns `isRight`; throws `too_many_attempts` if the limit is reached. */
  async check(address: string, isRight: boolean): Promise<boolean> {
    const { byAddress, inAll } = this.#limits;
    const limits = [
      { limiter: byAddress, key: this.#keyOf(address) },
      { limiter: inAll, key: 'all' },
    ];
    for (const { limiter, key } of limits) {
      // Both calls read or count in the order of the requests. So each sees those before it.
      if (isRight) refuseFrom(await limiter.get(key), limiter.points);
      else await limiter.consume(key).catch(refuse);
    }
    return isRight;
  }

  #keyOf(address: string): string {
    const { secret } = this.#limits;
    const digest = createHmac('sha256', secret).update(subscriberOf(address)).digest();
    return String(digest.readUInt32BE() % maxAddresses);
  }
}

function limitsInMemory(): AttemptLimits {
  const duration = attemptWindowSeconds;
  return {
    byAddress: new RateLimiterMemory({ points: maxWrongTokens.perAddress, duration }),
    inAll: new RateLimiterMemory({ points: maxWrongTokens.inAll, duration }),
    secret: randomBytes(16),
  };
}

function refuseFrom(consumption: Consumption | null, points: number): void {
  if (!consumption) return;
  const { msBeforeNext, consumedPoints } = consumption;
  if (msBeforeNext > 0 && consumedPoints >= points) refuse(consumption);
}

function refuse({ msBeforeNext }: Consumption): never {
  // The limiter computes this from the system clock, which may have been changed. Its own timer is not affected.
  const seconds = Math.min(attemptWindowSeconds, Math.max(1, Math.ceil(msBeforeNext / 1000)));
  throw apiError('too_many_attempts', undefined, seconds);
}
