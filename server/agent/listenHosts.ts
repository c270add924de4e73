import { isLoopback, normalizeHost } from './addresses.js';

/** Where the control listener listens by default: on loopback if the dashboard is on this machine. */
export function listenHosts(urls: readonly string[]): readonly (string | undefined)[] {
  const hosts = urls.filter((url) => URL.canParse(url)).map((url) => new URL(url).hostname);
  if (hosts.length === 0 || !hosts.every(isLoopback)) return [undefined];
  const addresses = hosts.map(normalizeHost);
  const [v4, v6] = ['127.0.0.1', '::1'];
  // The dashboard asks the address that the query came from.
  if (addresses.every((address) => address === v6)) return [v6];
  return addresses.every((address) => address.startsWith('127.')) ? [v4] : [v4, v6];
}
