import { isLinkLocal, isLoopback, isWildcard, normalizeAddress } from '../addresses.js';

/** The two addresses of a connection with a pub-sub server, such as a `net.Socket`. */
export interface Connection {
  readonly localAddress?: string | undefined;
  readonly remoteAddress?: string | undefined;
}

/** What the callback address depends on. */
export interface CallbackNeeds {
  /** `INSTANCE_URL`, in a cluster; used as it is. */
  instanceUrl?: string | undefined;
  /** `PUBLIC_URL`; used as it is. In a cluster it may be that of a load balancer. */
  publicUrl?: string | undefined;
  /** `HOST`, normalized. */
  host: string;
  /** The port that this service listens on. */
  port: number;
}

/**
 * The URL that pub-sub servers post to: `INSTANCE_URL`, else `PUBLIC_URL`, else a specific `HOST`, else the
 * local address of the connection to the server. Servers in different networks may need different addresses of
 * this machine.
 */
export class CallbackUrls {
  readonly #needs: CallbackNeeds;

  constructor(needs: CallbackNeeds) {
    this.#needs = needs;
  }

  /** The URL without a token, for the server at the other end. Throws an Error with the reason if there is none. */
  urlFor(connection: Connection): string {
    const { host } = this.#needs;
    const configured = this.#configured;
    if (configured !== undefined) return withPath(configured);
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

  /** The beginning of the URL if it is the same for all servers; undefined: it depends on the connection. */
  get fixedBase(): string | undefined {
    const { host } = this.#needs;
    if (this.#configured !== undefined) return this.#configured;
    return isWildcard(host) || isLoopback(host) ? undefined : this.#baseAt(host);
  }

  get #configured(): string | undefined {
    return this.#needs.instanceUrl ?? this.#needs.publicUrl;
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
    return withPath(this.#baseAt(address));
  }

  #baseAt(address: string): string {
    const host = address.includes(':') ? `[${address}]` : address;
    return `http://${host}:${this.#needs.port}`;
  }
}

const noUrl = (why: string, remedy = '') =>
  new Error(`no callback address: ${why}. Set ${remedy}PUBLIC_URL`);

/** The URL of posts, from what an instance tells others of itself, such as `Leader.serversUrl`. */
export const withPath = (base: string) => `${base}/api/events`;
