import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import { isLoopback, isOwnAddress, normalizeHost, type Resolver } from './addresses.js';

/** The names and ports under which this server is asked. */
export class OwnHosts {
  readonly #resolver: Resolver;
  readonly #advertised: { host: string; port: number | undefined } | undefined;

  constructor(resolver: Resolver, advertise: string | undefined) {
    this.#resolver = resolver;
    this.#advertised = advertise === undefined ? undefined : parseHostHeader(advertise);
  }

  /**
   * Whether a request with this Host header, which arrived on this socket, is meant for this server.
   * Loopback names are those of another machine if the request comes from one.
   */
  async include(header: string, socket: Socket): Promise<boolean> {
    const parsed = parseHostHeader(header);
    if (!parsed) return false;
    const { host, port = 80 } = parsed;
    const advertised = this.#advertised;
    if (host === advertised?.host && port === (advertised.port ?? socket.localPort)) return true;
    if (port !== socket.localPort) return false;
    if (host === hostname().toLowerCase()) return true;
    const addresses = host === 'localhost' ? ['127.0.0.1'] : await this.#resolver.addressesOf(host);
    return addresses.some((address) => isOf(address, socket));
  }
}

function isOf(address: string, { localAddress = '', remoteAddress = '' }: Socket): boolean {
  if (isLoopback(address)) return isLoopback(remoteAddress);
  return address === normalizeHost(localAddress) || isOwnAddress(address);
}

/** Host and port of `name`, `name:port`, `[address]` or `[address]:port`. */
export function parseHostHeader(
  text: string,
): { host: string; port: number | undefined } | undefined {
  const [, host = '', port] = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  if (host === '') return undefined;
  return { host: normalizeHost(host), port: port === undefined ? undefined : Number(port) };
}
