import type { Context, Middleware } from 'koa';
import { isAddress, isLoopback, withoutBrackets } from '../addresses.js';
import { apiError } from './errors.js';

/** What tells whether a request means this service. */
export interface HostNeeds {
  /** `ALLOWED_HOSTS`; `*`: any. */
  allowedHosts: readonly string[] | undefined;
  publicUrl: string;
  /** Whether viewers are asked for a token. */
  isTokenRequired: boolean;
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

  constructor({ allowedHosts, publicUrl, isTokenRequired }: HostNeeds) {
    this.#allowed = new Set(allowedHosts);
    this.#publicName = hostnameOf(new URL(publicUrl).host);
    this.#isAnyOwn = allowedHosts?.includes('*') ?? false;
    // Where a token is asked for such a page has none, and no cookie: names need not be listed.
    this.#isChecked = allowedHosts !== undefined || !isTokenRequired;
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

  /** Refuses requests that mean another service; throws `host_not_allowed`. */
  readonly check: Middleware = (ctx, next) => {
    if (!this.#isChecked || this.isOwn(hostOf(ctx))) return next();
    throw apiError('host_not_allowed', 'ALLOWED_HOSTS says by which it is');
  };
}

/** The `Host` of a request as it was sent. */
export const hostOf = (ctx: Context): string => ctx.req.headers.host ?? '';

/** RFC 9110, section 7.2: a host and perhaps a port; undefined for everything else. */
function hostnameOf(header: string): string | undefined {
  const [, host] = /^(\[[\da-f:.]+\]|[^:/?#@\\[\]\s]+)(?::\d*)?$/i.exec(header) ?? [];
  return host === undefined ? undefined : withoutBrackets(host.toLowerCase().replace(/\.$/, ''));
}

/** Browsers take `localhost` and what ends in it for this machine, whatever the DNS says (RFC 6761). */
const isOwnMachine = (hostname: string) => isLoopback(hostname) || hostname.endsWith('.localhost');
