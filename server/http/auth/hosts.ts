import type { Context, Middleware } from 'koa';
import { isAddress, isLoopback, type Networks, withoutBrackets } from '../../addresses.js';
import { apiError } from '../errors.js';
import { hostsOf } from '../remoteAddress.js';

/** What tells whether a request means this service. */
export interface HostNeeds {
  /** `ALLOWED_HOSTS`; `*`: any. */
  allowedHosts: readonly string[] | undefined;
  publicUrl: string;
  /** Whether viewers are asked for a token. */
  isTokenRequired: boolean;
  /** Proxies whose word is taken for the name that a viewer asked by. */
  trustedProxies?: Networks | undefined;
}

/**
 * The names by which this service is reached. A page whose own name was made to resolve to this
 * service (DNS rebinding) is of the same origin for its browser, and could read everything; but
 * its requests carry its name as `Host`.
 */
export class Hosts {
  readonly #allowed: ReadonlySet<string>;
  readonly #publicName: string | undefined;
  readonly #isAnyOwn: boolean;
  readonly #isChecked: boolean;
  readonly #trustedProxies: Networks | undefined;

  constructor({ allowedHosts, publicUrl, isTokenRequired, trustedProxies }: HostNeeds) {
    this.#allowed = new Set(allowedHosts);
    this.#publicName = hostnameOf(new URL(publicUrl).host);
    this.#isAnyOwn = allowedHosts?.includes('*') ?? false;
    // Where a token is asked for such a page has none, and no cookie: names need not be listed.
    this.#isChecked = allowedHosts !== undefined || !isTokenRequired;
    this.#trustedProxies = trustedProxies;
  }

  /** The hosts that a request was sent to, before and behind trusted proxies: `Host` is the first. */
  of(ctx: Context): string[] {
    return hostsOf(ctx, this.#trustedProxies);
  }

  /** Whether `ALLOWED_HOSTS` has this very name. */
  isAllowed(hostname: string): boolean {
    return this.#allowed.has(hostname);
  }

  /** Whether nobody but an operator can have had a browser send this `Host`; none is sent by no browser. */
  isOwn(header: string): boolean {
    const hostname = hostnameOf(header);
    if (header === '' || this.#isAnyOwn) return true;
    if (hostname === undefined) return false;
    if (isAddress(hostname) || isOwnMachine(hostname)) return true;
    return hostname === this.#publicName || this.isAllowed(hostname);
  }

  /**
   * Refuses requests that mean another service; throws `host_not_allowed`. All of the hosts have to be
   * ours: a page whose name was made to resolve here can send an `X-Forwarded-Host` of its own.
   */
  readonly check: Middleware = (ctx, next) => {
    const other = this.#isChecked ? this.of(ctx).find((host) => !this.isOwn(host)) : undefined;
    if (other === undefined) return next();
    const name = (hostnameOf(other) ?? other).slice(0, maxShown);
    throw apiError('host_not_allowed', `add "${name}" to ALLOWED_HOSTS if it is one of its names`);
  };
}

/** Characters of a host that are repeated in a message. */
const maxShown = 255;

/** RFC 9110, section 7.2: a host and perhaps a port; undefined for everything else. */
function hostnameOf(header: string): string | undefined {
  const [, host] = /^(\[[\da-f:.]+\]|[^:/?#@\\[\]\s]+)(?::\d*)?$/i.exec(header) ?? [];
  return host === undefined ? undefined : withoutBrackets(host.toLowerCase().replace(/\.$/, ''));
}

/** Browsers take `localhost` and what ends in it for this machine, whatever the DNS says (RFC 6761). */
const isOwnMachine = (hostname: string) => isLoopback(hostname) || hostname.endsWith('.localhost');
