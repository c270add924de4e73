import type { IncomingHttpHeaders } from 'node:http';
import type { Context } from 'koa';
import { parseUrl } from '../../parseUrl.js';
import { hostOf } from '../remoteAddress.js';
import type { Hosts } from './hosts.js';

/**
 * Whether the request comes from a page of this origin, or not from a page. Browsers say so in Fetch
 * Metadata. They do not send it to `http:` on other machines; then `Origin` decides (RFC 6454).
 */
export function isOwnPage(ctx: Context, hosts: Hosts): boolean {
  const site = ctx.get('Sec-Fetch-Site');
  if (site !== '') return site === 'same-origin' || site === 'none';
  const text = ctx.get('Origin');
  if (text === '') return true;
  const origin = originOf(text);
  if (origin.host === '') return false;
  // Any of the hosts will do: a page of another origin cannot send X-Forwarded-Host.
  const isRequested = hosts
    .of(ctx)
    .some((host) => originOf(`${origin.protocol}//${host}`).host === origin.host);
  return isRequested || hosts.isAllowed(origin.hostname);
}

/**
 * An explanation if a page may seem foreign only because a proxy changed `Host`. Undefined: the page is
 * foreign.
 */
export function hiddenNameOf(ctx: Context): string | undefined {
  const { host, hostname, origin } = originOf(ctx.get('Origin'));
  if (host === '' || ctx.get('Sec-Fetch-Site') !== '') return undefined;
  return (
    `the page is at ${origin}, but the request has Host ${hostOf(ctx)}. If a proxy changed Host, let it ` +
    `pass Host on unchanged, or add ${hostname} to ALLOWED_HOSTS`
  );
}

const nowhere = { protocol: '', host: '', hostname: '', origin: '' };

function originOf(text: string): Pick<URL, keyof typeof nowhere> {
  return parseUrl(text) ?? nowhere;
}

/**
 * Whether the request has headers that browsers add and pub-sub servers do not. `Sec-Fetch-Mode` is not
 * one of them: Node's `fetch` sends it.
 */
export function isFromBrowser(headers: IncomingHttpHeaders): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}

/** Whether the browser follows a link. The page with the link cannot read the answer. */
export function isNavigation(ctx: Context): boolean {
  return ctx.get('Sec-Fetch-Mode') === 'navigate' && ctx.get('Sec-Fetch-Dest') === 'document';
}
