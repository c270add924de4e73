/** Parses, normalizes and compares IP addresses, host names and server ids. */

import ipaddr from 'ipaddr.js';
import type { ServerId } from '../machines/ports.js';

/** A parsed CIDR list. */
export interface Networks {
  /**
   * False for host names and everything else that is not an address. An IPv6 address that contains an
   * IPv4 address (NAT64, 6to4) is included only if both are.
   */
  includes(address: string): boolean;
  /** The original text. */
  toString(): string;
}

/**
 * Default networks if loopback is not allowed: private ranges. Link-local is not among them, because clouds
 * serve a machine's credentials at 169.254.169.254.
 */
export const privateNetworks = '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7';

/** Default networks if pub-sub servers may run on this machine. */
export const defaultNetworks = `127.0.0.0/8,::1,${privateNetworks}`;

const hostName =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/;

/** The short form of an address, without zone id; IPv4-mapped IPv6 becomes IPv4. Returns other text unchanged. */
export function normalizeAddress(text: string): string {
  return parseAddress(text)?.toString() ?? text;
}

/** A normalized address or lower-case host name, without brackets. Throws for anything else. */
export function normalizeHost(text: string): string {
  const bare = withoutBrackets(text);
  const address = parseAddress(bare);
  if (address) return address.toString();
  const name = bare.toLowerCase();
  // URL parsers and resolvers read `127.1`, `0x7f.1` and `2130706433` as addresses. Accepted as names,
  // they would bypass the check of addresses.
  if (/(^|\.)(\d+|0x[\da-f]*)\.?$/.test(name)) {
    throw new Error(`"${text}" is not an address: write IPv4 as four decimal numbers`);
  }
  if (bare !== text || !hostName.test(name)) {
    throw new Error(`"${text}" is neither an address nor a host name`);
  }
  return name;
}

/** The id of the pub-sub server at this host and port. Throws for invalid hosts and ports. */
export function toServerId(host: string, port: number): ServerId {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`port ${port} is not a whole number from 1 to 65535`);
  }
  const normal = normalizeHost(host);
  return `${normal.includes(':') ? `[${normal}]` : normal}:${port}` as ServerId;
}

/** Parses `host:port`, with IPv6 in brackets. Throws an Error that says what is wrong. */
export function parseServerId(text: string): ServerId {
  const parts = /^(\[[^\]]*\]|[^:[\]]*):(\d{1,5})$/.exec(text);
  if (!parts) throw new Error(`"${text}" is not host:port (IPv6: [address]:port)`);
  const [, host = '', port] = parts;
  return toServerId(host, Number(port));
}

/** Host (without brackets) and port of an id. */
export function hostAndPort(id: ServerId): { host: string; port: number } {
  const colon = id.lastIndexOf(':');
  return { host: withoutBrackets(id.slice(0, colon)), port: Number(id.slice(colon + 1)) };
}

/** Whether the text is an IP address rather than a name. */
export function isAddress(host: string): boolean {
  return parseAddress(withoutBrackets(host)) !== undefined;
}

/**
 * The network that one subscriber usually has: an IPv4 address, or the /64 of an IPv6 address. An IPv6
 * address that contains an IPv4 address (NAT64, 6to4) counts as that: a 6to4 address has 65,536 /64s, and
 * all NAT64 addresses share one.
 */
export function subscriberOf(address: string): string {
  const parsed = parseAddress(address);
  if (!parsed) return address;
  const ipv4 = parsed instanceof ipaddr.IPv6 ? ipv4In(parsed) : parsed;
  if (ipv4) return ipv4.toString();
  if (!(parsed instanceof ipaddr.IPv6)) return address;
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}

/** Whether only this machine can reach the host: 127.0.0.0/8, ::1, localhost. */
export function isLoopback(host: string): boolean {
  const address = parseAddress(withoutBrackets(host));
  if (address) return address.range() === 'loopback';
  return /^localhost\.?$/i.test(host);
}

/** Whether to listen on this normalized host means to listen on all addresses of this machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Whether the address is link-local. It means another machine in every network. */
export function isLinkLocal(host: string): boolean {
  return parseAddress(withoutBrackets(host))?.range() === 'linkLocal';
}

/** Whether the address is one of the public internet. False for everything that is not an address. */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(withoutBrackets(text));
  if (!address) return false;
  // A gateway forwards NAT64 to the IPv4 address.
  const ipv4 = address instanceof ipaddr.IPv6 ? ipv4In(address) : undefined;
  const isNat64 = ipv4 !== undefined && address.range() === 'rfc6052';
  return (isNat64 ? ipv4 : address).range() === 'unicast';
}

/** Parses a comma-separated list of CIDR ranges and single addresses. Throws an Error that names every bad entry. */
export function parseNetworks(text: string): Networks {
  const entries = text.split(',').map((entry) => entry.trim());
  const ranges = entries.filter(Boolean).map((entry) => ({ entry, range: parseRange(entry) }));
  const bad = ranges.filter(({ range }) => !range).map(({ entry }) => `"${entry}"`);
  if (bad.length > 0) throw new Error(`${bad.join(', ')}: not a CIDR range like 10.0.0.0/8`);
  if (ranges.length === 0) throw new Error('there is no range in it');
  const isListed = (address: Address) =>
    ranges.some(({ range }) => range?.[0].kind() === address.kind() && address.match(range));
  return {
    includes: (address) => {
      const parsed = parseAddress(address);
      // 0.0.0.0/8 and `::` are not addresses of a machine, but connecting to them may reach this one.
      if (!parsed || parsed.range() === 'unspecified' || !isListed(parsed)) return false;
      // A gateway forwards it to the IPv4 address, so that must be listed as well.
      const ipv4 = parsed instanceof ipaddr.IPv6 ? ipv4In(parsed) : undefined;
      return ipv4 === undefined || isListed(ipv4);
    },
    toString: () => text,
  };
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** The IPv4 address that an IPv6 address contains; undefined: none. */
function ipv4In({ parts }: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const [first = 0, second = 0, third = 0, , , , high = 0, low = 0] = parts;
  // 6to4 (RFC 3056).
  if (first === 0x2002) return ipv4Of(second, third);
  // Teredo (RFC 4380): every bit is inverted.
  if (first === 0x2001 && second === 0) return ipv4Of(high ^ 0xffff, low ^ 0xffff);
  const prefix = parts
    .slice(0, 6)
    .map((part) => part.toString(16))
    .join(':');
  return ipv4Prefix.test(prefix) && high > 0 ? ipv4Of(high, low) : undefined;
}

/** NAT64 (RFC 6052, RFC 8215), IPv4-translated (RFC 2765), IPv4-compatible (RFC 4291, 2.5.5.1). */
const ipv4Prefix = /^(64:ff9b:(0:0:0:0|1:.*)|0:0:0:0:ffff:0|0:0:0:0:0:0)$/;

const ipv4Of = (high: number, low: number) =>
  new ipaddr.IPv4([high >> 8, high & 0xff, low >> 8, low & 0xff]);

function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!text.includes(':')) return undefined;
  // ipaddr.js wrongly reads the old form `::1.2.3.4` as an IPv4-mapped address.
  const plain = text.replace(/%.*$/, '').replace(/^::(?=\d+\.)/, '0:0:0:0:0:0:');
  return ipaddr.IPv6.isValid(plain) ? ipaddr.process(plain) : undefined;
}

function parseRange(entry: string): [Address, number] | undefined {
  const [base = '', prefix, ...rest] = entry.split('/');
  const address = parseAddress(base);
  if (!address || rest.length > 0) return undefined;
  const bits = address.kind() === 'ipv4' ? 32 : 128;
  if (prefix === undefined) return [address, bits];
  if (!/^\d{1,3}$/.test(prefix)) return undefined;
  // The prefix of an IPv4-mapped range counts the bits of the IPv6 form.
  const length = Number(prefix) - (bits === 32 && base.includes(':') ? 96 : 0);
  return length >= 0 && length <= bits ? [address, length] : undefined;
}

/** `::1` for `[::1]`; returns other text unchanged. */
export function withoutBrackets(host: string): string {
  return /^\[.*:.*\]$/.test(host) ? host.slice(1, -1) : host;
}
