import type { Context, Middleware } from 'koa';
import { isAddress, isLoopback, type Networks, withoutBrackets } from '../../addresses.js';
import { apiError } from '../errors.js';
import { hostsOf } from '../remoteAddress.js';

/** What decides which host names are accepted. */
export interface HostNeeds {
  /** `ALLOWED_HOSTS`; `*`: any. */
  allowedHosts: readonly string[] | undefined;
  publicUrl: string;
  /** Whether viewers must send a token. */
  isTokenRequired: boolean;
  /** Proxies whose `X-Forwarded-Host` is trusted. */
  trustedProxies?: Networks | undefined;
}

/**
 * The host names of this service. They protect against DNS rebinding: an attacker lets the name of a page
 * resolve to this service, so the browser takes both for one origin and lets the page read everything. But
 * the page's requests have its own name as `Host`.
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
    // With a token, names need not be listed: a page like that has neither the token nor the cookie.
    this.#isChecked = allowedHosts !== undefined || !isTokenRequired;
    this.#trustedProxies = trustedProxies;
  }

  /** The hosts that a request was sent to: `Host` first, then those from trusted proxies. */
  of(ctx: Context): string[] {
    return hostsOf(ctx, this.#trustedProxies);
  }

  /** Whether `ALLOWED_HOSTS` contains this name. */
  isAllowed(hostname: string): boolean {
    return this.#allowed.has(hostname);
  }

  /** True if only an operator could have made a browser send this Host. A missing Host is fine: browsers always send one. */
  isOwn(header: string): boolean {
    const hostname = hostnameOf(header);
    if (header === '' || this.#isAnyOwn) return true;
    if (hostname === undefined) return false;
    if (isAddress(hostname) || isOwnMachine(hostname)) return true;
    return hostname === this.#publicName || this.isAllowed(hostname);
  }

  /** The name in a `Host` header, and whether `PUBLIC_URL` or `ALLOWED_HOSTS` has it. */
  nameIn(header: string): { hostname: string | undefined; isConfigured: boolean } {
    const hostname = hostnameOf(header);
    const isNamed = hostname !== undefined && this.isAllowed(hostname);
    return { hostname, isConfigured: isNamed || hostname === this.#publicName || this.#isAnyOwn };
  }

  /** Refuses requests for other host names; throws `host_not_allowed`. */
  readonly check: Middleware = (ctx, next) => {
    if (this.#isChecked) this.refuseOthers(ctx);
    return next();
  };

  /**
   * Throws `host_not_allowed` if the request is for another host name, whether names are checked in general or not.
   * Every host must be allowed: a page that attacks by DNS rebinding can send its own `X-Forwarded-Host`.
   */
  refuseOthers(ctx: Context): void {
    const other = this.of(ctx).find((host) => !this.isOwn(host));
    if (other === undefined) return;
    const name = (hostnameOf(other) ?? other).slice(0, maxShown);
    throw apiError('host_not_allowed', `'${name}'. Add it to ALLOWED_HOSTS`);
  }
}

/** Characters of a host name that a message repeats. */
const maxShown = 255;

/** The name in a `Host` header: a host with an optional port (RFC 9110, section 7.2); else undefined. */
function hostnameOf(header: string): string | undefined {
  const [, host] = /^(\[[\da-f:.]+\]|[^:/?#@\\[\]\s]+)(?::\d*)?$/i.exec(header) ?? [];
  return host === undefined ? undefined : withoutBrackets(host.toLowerCase().replace(/\.$/, ''));
}

/** Browsers resolve `localhost` and names below it to this machine, without DNS (RFC 6761). */
const isOwnMachine = (hostname: string) => isLoopback(hostname) || hostname.endsWith('.localhost');
