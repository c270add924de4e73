import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import type { Networks } from '../../addresses.js';
import { hiddenAddressOf, remoteAddress } from '../remoteAddress.js';

const messages = {
  untrusted:
    'viewers come through a proxy that is not in TRUSTED_PROXIES, so every limit per address counts them as one: add the proxy to TRUSTED_PROXIES',
  unreadable:
    'a proxy in TRUSTED_PROXIES sends X-Forwarded-For without an IP address, so every limit per address counts its viewers as one: have the proxy send the address of the client',
};

/** Logs, once per reason, that viewers behind a proxy share one address. */
export function noteProxies(trustedProxies: Networks | undefined, log: Logger): Middleware {
  const due = new Set(Object.keys(messages));
  return (ctx, next) => {
    const reason = due.size > 0 ? hiddenAddressOf(ctx, trustedProxies) : undefined;
    // Any client can send the header, so each message is logged only once.
    if (reason && due.delete(reason)) log.warn({ proxy: remoteAddress(ctx) }, messages[reason]);
    return next();
  };
}
