import type { Context } from 'koa';
import { isAddress, type Networks, normalizeAddress } from '../addresses.js';

/** The address at the other end of the connection, normalized. Ignores headers. */
export function remoteAddress(ctx: Context): string {
  return normalizeAddress(ctx.req.socket.remoteAddress ?? '');
}

/** Whether the request came through a proxy, so the address is that of the proxy. */
export function isForwarded(ctx: Context): boolean {
  const { headers } = ctx.req;
  return ['x-forwarded-for', 'forwarded', 'via'].some((name) => headers[name] !== undefined);
}

/**
 * The address of a viewer: from `X-Forwarded-For` behind trusted proxies, else the other end of the
 * connection. Never used to identify pub-sub servers.
 */
export function viewerAddress(ctx: Context, trustedProxies: Networks | undefined): string {
  const remote = remoteAddress(ctx);
  if (!trustedProxies?.includes(remote)) return remote;
  const viewer = forwardedClient(ctx, trustedProxies);
  return viewer !== undefined && isAddress(viewer) ? viewer : remote;
}

/** The viewer in `X-Forwarded-For`; undefined: the header is empty or names only trusted proxies. */
function forwardedClient(ctx: Context, trustedProxies: Networks): string | undefined {
  const entries = ctx.get('X-Forwarded-For').split(',');
  // Each proxy appends its client. So the last entry that is not a proxy is the viewer.
  const addresses = entries.map((entry) => forwardedAddress(entry.trim()));
  return addresses.findLast((address) => !trustedProxies.includes(address));
}

/** Why a viewer behind a proxy counts under the proxy's address; undefined: it does not. */
export function hiddenAddressOf(
  ctx: Context,
  trustedProxies: Networks | undefined,
): 'untrusted' | 'unreadable' | undefined {
  if (ctx.get('X-Forwarded-For') === '') return undefined;
  if (!trustedProxies?.includes(remoteAddress(ctx))) return 'untrusted';
  const viewer = forwardedClient(ctx, trustedProxies);
  return viewer === undefined || isAddress(viewer) ? undefined : 'unreadable';
}

/** One address of `X-Forwarded-For`. Some proxies add the port, with IPv6 in brackets. */
function forwardedAddress(entry: string): string {
  const [, ipv6, ipv4] = /^(?:\[([^\]]*:[^\]]*)\]|([\d.]+))(?::\d+)?$/.exec(entry) ?? [];
  return normalizeAddress(ipv6 ?? ipv4 ?? entry);
}

/**
 * The hosts that a request was sent to: its `Host`, and those in `X-Forwarded-Host` from a trusted proxy.
 * Each proxy appends the host that it got; the first entries may come from the client.
 */
export function hostsOf(ctx: Context, trustedProxies: Networks | undefined): string[] {
  const forwarded = trustedProxies?.includes(remoteAddress(ctx)) ? ctx.get('X-Forwarded-Host') : '';
  return [hostOf(ctx), ...forwarded.split(',').map((host) => host.trim())].filter(
    (host, i) => i === 0 || host !== '',
  );
}

/** The `Host` header of a request. */
export const hostOf = (ctx: Context): string => ctx.req.headers.host ?? '';

/** Whether the browser used https, so a cookie can be `Secure`. */
export function cameByHttps(ctx: Context, trustedProxies: Networks | undefined): boolean {
  // The browser sends `Origin` itself, so this works with proxies that are not trusted.
  if (ctx.get('Origin').startsWith('https://')) return true;
  const isTrusted = trustedProxies?.includes(remoteAddress(ctx)) ?? false;
  return isTrusted && /^https\b/i.test(ctx.get('X-Forwarded-Proto'));
}
