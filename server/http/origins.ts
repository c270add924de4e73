import type { Context } from 'koa';
import { type Hosts, hostOf } from './hosts.js';

/**
 * Whether no page asks, or one of this very origin, by what browsers say of it (Fetch Metadata, and
 * RFC 6454 where that is missing: browsers send no metadata to `http:` beyond this machine).
 */
export function isOwnPage(ctx: Context, hosts: Hosts): boolean {
  const site = ctx.get('Sec-Fetch-Site');
  if (site !== '') return site === 'same-origin' || site === 'none';
  const origin = ctx.get('Origin');
  if (origin === '') return true;
  const { host, hostname } = URL.canParse(origin) ? new URL(origin) : { host: '', hostname: '' };
  return host !== '' && (host === hostOf(ctx).toLowerCase() || hosts.isAllowed(hostname));
}

/** Whether somebody followed a link: nothing of another origin's page reads the answer. */
export function isNavigation(ctx: Context): boolean {
  return ctx.get('Sec-Fetch-Mode') === 'navigate' && ctx.get('Sec-Fetch-Dest') === 'document';
}
