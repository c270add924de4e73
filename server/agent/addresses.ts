import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** The short form of an address: without brackets and zone; IPv4-mapped IPv6 becomes IPv4. */
export function normalizeHost(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare.toLowerCase().replace(/\.$/, '');
  const short = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [, high = '', low = ''] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(short) ?? [];
  return high === '' ? short : ipv4Of(Number.parseInt(high, 16), Number.parseInt(low, 16));
}

const ipv4Of = (high: number, low: number) =>
  [high >> 8, high & 255, low >> 8, low & 255].join('.');

/** Whether only this machine can reach the host: 127.0.0.0/8, ::1, localhost. */
export function isLoopback(host: string): boolean {
  const normal = normalizeHost(host);
  if (isIP(normal) === 4) return normal.startsWith('127.');
  return normal === '::1' || normal === 'localhost';
}

/** Whether an address of this machine is the given one. */
export function isOwnAddress(address: string): boolean {
  const normal = normalizeHost(address);
  for (const addresses of Object.values(networkInterfaces())) {
    if (addresses?.some((own) => normalizeHost(own.address) === normal)) return true;
  }
  return false;
}

/** Tells which addresses are in a list of CIDRs. Entries that are not CIDRs go to `invalid`. */
export function parseNetworks(entries: readonly string[]): {
  includes(address: string): boolean;
  invalid: string[];
} {
  const list = new BlockList();
  const invalid = entries.filter((entry) => !addTo(list, entry));
  const includes = (address: string) => {
    const normal = normalizeHost(address);
    const version = isIP(normal);
    return version !== 0 && list.check(normal, version === 4 ? 'ipv4' : 'ipv6');
  };
  return { includes, invalid };
}

function addTo(list: BlockList, entry: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry.trim()) ?? [];
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  if (version === 0 || prefix > most) return false;
  list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
  return true;
}

const keptMs = 30_000;
const maxNames = 64;

/** Resolves host names, and keeps the answers for half a minute. */
export class Resolver {
  readonly #kept = new Map<string, { addresses: readonly string[]; atMs: number }>();

  /** The normalized addresses of a host; of an address itself. Empty if it cannot be resolved. */
  async addressesOf(host: string): Promise<readonly string[]> {
    const name = normalizeHost(host);
    if (isIP(name) !== 0) return [name];
    const kept = this.#kept.get(name);
    if (kept && performance.now() - kept.atMs < keptMs) return kept.addresses;
    const found = await lookup(name, { all: true }).catch(() => []);
    const addresses = found.map(({ address }) => normalizeHost(address));
    // Asked again: a name server may have been away for a moment.
    if (addresses.length === 0) return addresses;
    if (this.#kept.size >= maxNames) this.#kept.clear();
    this.#kept.set(name, { addresses, atMs: performance.now() });
    return addresses;
  }
}
