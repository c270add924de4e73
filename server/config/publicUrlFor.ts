import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { isLinkLocal, isWildcard } from '../addresses.js';
import type { Config } from './config.js';

/**
 * The URL of this service for viewers, without a trailing slash. `listeningPort` is the actual port.
 * `server/pubsub/callbackUrls.ts` makes the URLs for pub-sub servers.
 */
export function publicUrlFor(
  config: Pick<Config, 'host' | 'publicUrl'>,
  listeningPort: number,
  interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces,
): string {
  if (config.publicUrl !== undefined) return config.publicUrl;
  const host = isWildcard(config.host) ? ownAddress(interfaces()) : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${listeningPort}`;
}

function ownAddress(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const others = all.filter(({ address, internal }) => !internal && !isLinkLocal(address));
  const [first] = others.filter(({ family }) => family === 'IPv4').concat(others);
  return first?.address ?? '127.0.0.1';
}
