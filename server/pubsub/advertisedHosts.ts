import { lookup as systemLookup } from 'node:dns';
import { hostAndPort, isAddress, normalizeAddress, toServerId } from '../addresses.js';
import { BoundedMap } from '../boundedMap.js';
import { withDeadline } from '../timing/withDeadline.js';
import type { AdvertisedHost } from './startupQuery.js';

/** What resolves host names. */
export interface AdvertisedHostsNeeds {
  /** Default: `dns.lookup`. */
  lookup?: typeof systemLookup | undefined;
  deadlineMs?: number;
}

/** A lookup holds one of the four threads of libuv. */
const maxLookups = 2;
const maxRemembered = 1024;
const rememberedMs = 10_000;

interface Remembered {
  addresses: readonly string[];
  untilMs: number;
}

/** Finds out whether the senders of start-up queries may be reached at the hosts that they name. */
export class AdvertisedHosts {
  readonly #lookup: typeof systemLookup;
  readonly #deadlineMs: number;
  readonly #remembered = new BoundedMap<string, Remembered>(maxRemembered);
  #lookups = 0;

  constructor({ lookup = systemLookup, deadlineMs = 1000 }: AdvertisedHostsNeeds = {}) {
    this.#lookup = lookup;
    this.#deadlineMs = deadlineMs;
  }

  /**
   * The host that a sender names; undefined: it is not one, or not the sender's. A host is the sender's if
   * the query is signed, or if all its addresses of the family of the source address are that address.
   */
  async find(
    text: string,
    { address, isSigned }: { address: string; isSigned: boolean },
  ): Promise<AdvertisedHost | undefined> {
    const host = hostIn(text);
    if (host === undefined) return undefined;
    const addresses = isAddress(host) ? [host] : await this.addressesOf(host);
    if (isSigned || isOnly(address, addresses)) return { host, addresses };
    return undefined;
  }

  /** The addresses of a name; none if it is unknown, or if too many are being resolved. */
  async addressesOf(host: string): Promise<readonly string[]> {
    const known = this.#remembered.get(host);
    if (known && performance.now() < known.untilMs) return known.addresses;
    if (this.#lookups >= maxLookups) return [];
    this.#lookups += 1;
    const resolving = this.#ask(host).finally(() => {
      this.#lookups -= 1;
    });
    return withDeadline(resolving, this.#deadlineMs, () => []);
  }

  #ask(host: string): Promise<readonly string[]> {
    return new Promise((resolve) => {
      this.#lookup(host, { all: true }, (error, found) => {
        const addresses = error ? [] : found.map((each) => normalizeAddress(each.address));
        const untilMs = performance.now() + rememberedMs;
        this.#remembered.set(host, { addresses, untilMs });
        resolve(addresses);
      });
    });
  }
}

/** A host, normalized; a port or anything else behind it is none. */
function hostIn(text: string): string | undefined {
  try {
    return hostAndPort(toServerId(text, 1)).host;
  } catch {
    return undefined;
  }
}

const isIPv6 = (address: string) => address.includes(':');

function isOnly(address: string, addresses: readonly string[]): boolean {
  const ofFamily = addresses.filter((each) => isIPv6(each) === isIPv6(address));
  return ofFamily.length > 0 && ofFamily.every((each) => each === address);
}
