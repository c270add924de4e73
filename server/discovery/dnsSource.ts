import { Resolver } from 'node:dns/promises';
import type { ServerId } from '../../machines/ports.js';
import { toServerId } from '../addresses.js';
import type { DnsName } from '../config/values.js';
import type { DiscoverySource } from './discoverySource.js';

/** Two tries, the second one twice as long: done before the deadline of a source. */
const resolverOptions = { timeout: 1000, tries: 2 };

/** The servers at the addresses of a DNS name. `dnsServer`: `address:port`; default: the system's. */
export function dnsSource(
  { name, port }: DnsName,
  pubSubPort: number,
  dnsServer?: string,
): DiscoverySource {
  const families = [new AddressFamily('resolve4'), new AddressFamily('resolve6')] as const;
  return {
    name: port === undefined ? `dns:${name}` : `dns:${name}:${port}`,
    discover: async (signal) => {
      const resolver = new Resolver(resolverOptions);
      if (dnsServer !== undefined) resolver.setServers([dnsServer]);
      const cancel = () => resolver.cancel();
      signal.addEventListener('abort', cancel);
      try {
        const answers = await Promise.all(families.map((family) => family.ask(resolver, name)));
        return serversIn(answers, port ?? pubSubPort);
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
  };
}

interface Answer {
  addresses: string[];
  /** Why there are no addresses, or no reliable ones. */
  error?: Error;
  /** Whether this family ever had an address. */
  isUsed: boolean;
}

/** A or AAAA records of one name. */
class AddressFamily {
  readonly #method: 'resolve4' | 'resolve6';
  #isUsed = false;

  constructor(method: 'resolve4' | 'resolve6') {
    this.#method = method;
  }

  async ask(resolver: Resolver, name: string): Promise<Answer> {
    try {
      const addresses = await resolver[this.#method](name);
      this.#isUsed ||= addresses.length > 0;
      return { addresses, isUsed: this.#isUsed };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const isEmpty = code === 'ENODATA' || (code === 'ENOTFOUND' && this.#isUsed);
      if (isEmpty) return { addresses: [], isUsed: this.#isUsed };
      return { addresses: [], error: error as Error, isUsed: this.#isUsed };
    }
  }
}

/**
 * Ignores the failure of a family that never had an address if the other family has: many name servers fail
 * for AAAA. A name that was found before and is gone has no servers; one that never was is an error.
 */
function serversIn(answers: readonly Answer[], port: number): ServerId[] {
  const isAnyUsed = answers.some(({ isUsed }) => isUsed);
  const failed = answers.find(({ error, isUsed }) => error && (isUsed || !isAnyUsed));
  if (failed?.error) throw failed.error;
  return answers.flatMap(({ addresses }) => addresses).map((address) => toServerId(address, port));
}
