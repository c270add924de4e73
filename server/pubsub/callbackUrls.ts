import { isLinkLocal, isLoopback, isWildcard, normalizeAddress } from '../addresses.js';

/** The two addresses of a connection with a pub-sub server, such as a `net.Socket`. */
export interface Connection {
  readonly localAddress?: string | undefined;
  readonly remoteAddress?: string | undefined;
}

/** What the callback address depends on. */
export interface CallbackNeeds {
  /** `PUBLIC_URL`; used as it is. */
  publicUrl?: string | undefined;
  /** `HOST`, normalized. */
  host: string;
  /** The port that this service listens on. */
  port: number;
}

/**
 * The URL that pub-sub servers post to: `PUBLIC_URL`, else a specific `HOST`, else the local address of the
 * connection to the server. Servers in different networks may need different addresses of this machine.
 */
export class CallbackUrls {
  readonly #needs: CallbackNeeds;

  constructor(needs: CallbackNeeds) {
    this.#needs = needs;
  }

  /** The URL without a token, for the server at the other end. Throws an Error with the reason if there is none. */
  urlFor(connection: Connection): string {
    const { publicUrl, host } = this.#needs;
    if (publicUrl !== undefined) return withPath(publicUrl);
    const address = isWildcard(host) ? this.#localOf(connection) : host;
    this.#expectUsable(address, connection);
    return this.#urlAt(address);
  }

  /** Like `urlFor`, but undefined if there is none. */
  reachableUrlFor(connection: Connection): string | undefined {
    try {
      return this.urlFor(connection);
    } catch {
      return undefined;
    }
  }

  /** Any URL, for requests in which it does not matter, such as those to be silent. */
  anyFor(connection: Connection = {}): string {
    return this.reachableUrlFor(connection) ?? this.#urlAt(this.#needs.host);
  }

  #localOf({ localAddress }: Connection): string {
    if (localAddress === undefined) throw new Error('the connection closed at once');
    return normalizeAddress(localAddress);
  }

  #expectUsable(address: string, { remoteAddress = '', localAddress = '' }: Connection): void {
    const { host } = this.#needs;
    const remote = normalizeAddress(remoteAddress);
    const isSameMachine = isLoopback(remote) || remote === normalizeAddress(localAddress);
    if (isLoopback(address) && !isSameMachine)
      throw noUrl(`HOST is ${host}, where ${remote} cannot post to`, 'HOST to 0.0.0.0, or ');
    if (isLinkLocal(address))
      throw noUrl(`${remote} is reached from ${address}, which is link-local`);
    if (host === '0.0.0.0' && address.includes(':'))
      throw noUrl(`${remote} is reached by IPv6, and HOST is IPv4`, 'HOST to ::, or ');
  }

  #urlAt(address: string): string {
    const host = address.includes(':') ? `[${address}]` : address;
    return withPath(`http://${host}:${this.#needs.port}`);
  }
}

const noUrl = (why: string, remedy = '') =>
  new Error(`no callback address: ${why}. Set ${remedy}PUBLIC_URL`);

const withPath = (base: string) => `${base}/api/events`;
