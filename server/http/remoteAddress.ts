import type { Context } from 'koa';
import { isAddress, type Networks, normalizeAddress } from '../addresses.js';

/** The address at the other end of the connection, normalized; headers are not believed. */
export function remoteAddress(ctx: Context): string {
  return normalizeAddress(ctx.req.socket.remoteAddress ?? '');
}

/** Whether a proxy passed the request on, so that the address is the proxy's. */
export function isForwarded(ctx: Context): boolean {
  const { headers } = ctx.req;
  return ['x-forwarded-for', 'forwarded', 'via'].some((name) => headers[name] !== undefined);
}

/**
 * The address of a viewer: behind trusted proxies, what the first of them says, else the other end of
 * the connection. Pub-sub servers are never told by it.
 */
export function viewerAddress(ctx: Context, trustedProxies: Networks | undefined): string {
  const remote = remoteAddress(ctx);
  if (!trustedProxies?.includes(remote)) return remote;
  const viewer = saidAddress(ctx, trustedProxies);
  return viewer !== undefined && isAddress(viewer) ? viewer : remote;
}

/** What stands in `X-Forwarded-For` for the viewer; undefined: nothing, or none but trusted proxies. */
function saidAddress(ctx: Context, trustedProxies: Networks): string | undefined {
  const entries = ctx.get('X-Forwarded-For').split(',');
  // Each proxy adds whom it heard: from the right, the first that is no proxy is the viewer.
  const said = entries.map((entry) => forwardedAddress(entry.trim()));
  return said.findLast((address) => !trustedProxies.includes(address));
}

/** Why a viewer that came through a proxy has the proxy's address; undefined: it has its own. */
export function hiddenAddressOf(
  ctx: Context,
  trustedProxies: Networks | undefined,
): 'untrusted' | 'unreadable' | undefined {
  if (ctx.get('X-Forwarded-For') === '') return undefined;
  if (!trustedProxies?.includes(remoteAddress(ctx))) return 'untrusted';
  const viewer = saidAddress(ctx, trustedProxies);
  return viewer === undefined || isAddress(viewer) ? undefined : 'unreadable';
}

/** One address of `X-Forwarded-For`; some proxies add the client's port, and IPv6 is in brackets then. */
function forwardedAddress(entry: string): string {
  const [, ipv6, ipv4] = /^(?:\[([^\]]*:[^\]]*)\]|([\d.]+))(?::\d+)?$/.exec(entry) ?? [];
  return normalizeAddress(ipv6 ?? ipv4 ?? entry);
}

/**
 * The hosts that a request was sent to: its `Host`, and what trusted proxies say it was before they
 * changed it (`X-Forwarded-Host`: each adds what it got, behind what a client may have sent).
 */
export function hostsOf(ctx: Context, trustedProxies: Networks | undefined): string[] {
  const said = trustedProxies?.includes(remoteAddress(ctx)) ? ctx.get('X-Forwarded-Host') : '';
  return [hostOf(ctx), ...said.split(',').map((host) => host.trim())].filter(
    (host, i) => i === 0 || host !== '',
  );
}

/** The `Host` of a request as it was sent. */
export const hostOf = (ctx: Context): string => ctx.req.headers.host ?? '';

/** Whether a browser asked by https, so that it may be told to keep a cookie to https. */
export function cameByHttps(ctx: Context, trustedProxies: Networks | undefined): boolean {
  // What a browser says of its own page needs no proxy that passes it on.
  if (ctx.get('Origin').startsWith('https://')) return true;
  const isTrusted = trustedProxies?.includes(remoteAddress(ctx)) ?? false;
  return isTrusted && /^https\b/i.test(ctx.get('X-Forwarded-Proto'));
}
