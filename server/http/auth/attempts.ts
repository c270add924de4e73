import { createHmac, randomBytes } from 'node:crypto';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { subscriberOf } from '../../addresses.js';
import { apiError } from '../errors.js';

/** Wrong tokens taken in a minute; docs/security.md names both. */
export const maxWrongTokens = { perAddress: 10, inAll: 300 };
const windowSeconds = 60;
/** Addresses are told apart by that many numbers, so that no number of strangers fills the memory. */
const maxAddresses = 4096;

/** Bounds how many tokens can be tried. Wrong ones count; after too many, right ones are refused, too. */
export class Attempts {
  readonly #byAddress = new RateLimiterMemory({
    points: maxWrongTokens.perAddress,
    duration: windowSeconds,
  });
  readonly #inAll = new RateLimiterMemory({
    points: maxWrongTokens.inAll,
    duration: windowSeconds,
  });
  /** Unknown to strangers: nobody can choose an address that shares somebody's number. */
  readonly #secret = randomBytes(16);

  /** Passes on whether the token is right; throws `too_many_attempts` when that is not to be told. */
  async judge(address: string, isRight: boolean): Promise<boolean> {
    const limits = [
      { limiter: this.#byAddress, key: this.#keyOf(address) },
      { limiter: this.#inAll, key: 'all' },
    ];
    for (const { limiter, key } of limits) {
      // Both read or count at once, before anything else runs: requests that come together do not
      // pass before the first of them is counted.
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

interface Standing {
  consumedPoints: number;
  msBeforeNext: number;
}

function refuseFrom(standing: Standing | null, points: number): void {
  if (standing && standing.msBeforeNext > 0 && standing.consumedPoints >= points) refuse(standing);
}

function refuse({ msBeforeNext }: Standing): never {
  // It goes by the clock, which may have been put back since; what it counts ends by a timer all the same.
  const seconds = Math.min(windowSeconds, Math.max(1, Math.ceil(msBeforeNext / 1000)));
  throw apiError('too_many_attempts', undefined, seconds);
}
