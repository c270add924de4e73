import { createHmac, randomBytes } from 'node:crypto';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { subscriberOf } from '../../addresses.js';
import { apiError } from '../errors.js';

/** Wrong tokens accepted in a minute; docs/security.md has the same numbers. */
export const maxWrongTokens = { perAddress: 10, inAll: 300 };
const windowSeconds = 60;
/** Addresses are hashed to this many keys, which bounds the memory. */
const maxAddresses = 4096;

/** Rate limit for wrong tokens. After too many, correct tokens are refused as well. */
export class Attempts {
  readonly #byAddress = new RateLimiterMemory({
    points: maxWrongTokens.perAddress,
    duration: windowSeconds,
  });
  readonly #inAll = new RateLimiterMemory({
    points: maxWrongTokens.inAll,
    duration: windowSeconds,
  });
  /** Random per process, so a client cannot choose an address with the key of another one. */
  readonly #secret = randomBytes(16);

  /** Returns `isRight`; throws `too_many_attempts` if the limit is reached. */
  async check(address: string, isRight: boolean): Promise<boolean> {
    const limits = [
      { limiter: this.#byAddress, key: this.#keyOf(address) },
      { limiter: this.#inAll, key: 'all' },
    ];
    for (const { limiter, key } of limits) {
      // Both calls read or count synchronously. So of many simultaneous requests, each sees those before it.
      if (isRight) refuseFrom(await limiter.get(key), limiter.points);
      else await limiter.consume(key).catch(refuse);
    }
    return isRight;
  }

  #keyOf(address: string): string {
    const digest = createHmac('sha256', this.#secret).update(subscriberOf(address)).digest();
    return String(digest.readUInt32BE() % maxAddresses);
  }
}

interface Consumption {
  consumedPoints: number;
  msBeforeNext: number;
}

function refuseFrom(consumption: Consumption | null, points: number): void {
  if (!consumption) return;
  const { msBeforeNext, consumedPoints } = consumption;
  if (msBeforeNext > 0 && consumedPoints >= points) refuse(consumption);
}

function refuse({ msBeforeNext }: Consumption): never {
  // The limiter computes this from the system clock, which may have been changed. Its own timer is not affected.
  const seconds = Math.min(windowSeconds, Math.max(1, Math.ceil(msBeforeNext / 1000)));
  throw apiError('too_many_attempts', undefined, seconds);
}
