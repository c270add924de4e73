import { networkInterfaces } from 'node:os';
import type { ServerId } from '../../machines/ports.js';
import type { Roster } from '../../machines/roster.js';
import { hostAndPort, isLoopback, type Networks, normalizeAddress } from '../addresses.js';

/** Knows which pub-sub servers are at an address, and which addresses may be contacted. */
export class AddressBook {
  readonly #networks: Networks;
  readonly #ownPort: number;
  readonly #resolved = new Map<ServerId, readonly string[]>();

  constructor({ networks, ownPort }: { networks: Networks; ownPort: number }) {
    this.#networks = networks;
    this.#ownPort = ownPort;
  }

  /** Notes the addresses that the host name of a server resolved to. */
  note(server: ServerId, addresses: readonly string[]): void {
    this.#resolved.set(server, addresses);
  }

  /** The known servers and candidates at an address. */
  serversAt(address: string, roster: Roster): ServerId[] {
    for (const server of this.#resolved.keys())
      if (!roster.get(server)) this.#resolved.delete(server);
    const found: ServerId[] = [];
    for (const { server } of roster) {
      const isThere =
        hostAndPort(server).host === address || this.#resolved.get(server)?.includes(address);
      if (isThere) found.push(server);
    }
    return found;
  }

  /** Whether a pub-sub server may be at an address. */
  mayBePubSubServer(address: string): boolean {
    return this.#networks.includes(address);
  }

  /** Whether requests may be sent to an address and port: it is allowed, and not this service's own. */
  mayContact(address: string, port: number): boolean {
    if (!this.#networks.includes(address)) return false;
    return port !== this.#ownPort || !isOwnAddress(normalizeAddress(address));
  }
}

/** Whether an address, normalized, is one of this machine. */
export function isOwnAddress(address: string): boolean {
  if (isLoopback(address)) return true;
  return Object.values(networkInterfaces()).some((entries) =>
    entries?.some((entry) => normalizeAddress(entry.address) === address),
  );
}
