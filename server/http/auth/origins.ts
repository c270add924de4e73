import type { IncomingHttpHeaders } from 'node:http';
import type { Context } from 'koa';
import { parseUrl } from '../../parseUrl.js';
import { hostOf } from '../remoteAddress.js';
import type { Hosts } from './hosts.js';

/**
 * Whether no page asks, or one of this very origin, by what browsers say of it (Fetch Metadata, and
 * RFC 6454 where that is missing: browsers send no metadata to `http:` beyond this machine).
 */
export function isOwnPage(ctx: Context, hosts: Hosts): boolean {
  const site = ctx.get('Sec-Fetch-Site');
  if (site !== '') return site === 'same-origin' || site === 'none';
  const text = ctx.get('Origin');
  if (text === '') return true;
  const origin = originOf(text);
  if (origin.host === '') return false;
  // Which of the hosts it is does not matter: no page of another origin can send X-Forwarded-Host.
  const isAsked = hosts
    .of(ctx)
    .some((host) => originOf(`${origin.protocol}//${host}`).host === origin.host);
  return isAsked || hosts.isAllowed(origin.hostname);
}

/**
 * Why a page may be another's only because a proxy hides its name, and what to do about it; undefined:
 * it is another's.
 */
export function hiddenNameOf(ctx: Context): string | undefined {
  const { host, hostname, origin } = originOf(ctx.get('Origin'));
  if (host === '' || ctx.get('Sec-Fetch-Site') !== '') return undefined;
  return (
    `the page is at ${origin}, and the request came for Host ${hostOf(ctx)}. If that is this service ` +
    `behind a proxy, have the proxy pass Host on as it comes, or add ${hostname} to ALLOWED_HOSTS`
  );
}

const nowhere = { protocol: '', host: '', hostname: '', origin: '' };

function originOf(text: string): Pick<URL, keyof typeof nowhere> {
  return parseUrl(text) ?? nowhere;
}

/**
 * Whether the headers are those that browsers send by themselves, and pub-sub servers do not. Node's
 * `fetch` sends `Sec-Fetch-Mode`, so that one says nothing.
 */
export function isFromBrowser(headers: IncomingHttpHeaders): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}

/** Whether somebody followed a link: nothing of another origin's page reads the answer. */
export function isNavigation(ctx: Context): boolean {
  return ctx.get('Sec-Fetch-Mode') === 'navigate' && ctx.get('Sec-Fetch-Dest') === 'document';
}
