import type { Middleware } from 'koa';
import type { Logger } from 'pino';
import type { Networks } from '../../addresses.js';
import { hiddenAddressOf, remoteAddress } from '../remoteAddress.js';

const words = {
  untrusted:
    'viewers come through a proxy that TRUSTED_PROXIES does not name: they share its address in every limit by address',
  unreadable:
    'a proxy of TRUSTED_PROXIES sends an X-Forwarded-For without an address: its viewers share its address in every limit by address',
};

/** Says in the log, once for each reason, that viewers behind a proxy are not told from each other. */
export function noteProxies(trustedProxies: Networks | undefined, log: Logger): Middleware {
  const due = new Set(Object.keys(words));
  return (ctx, next) => {
    const reason = due.size > 0 ? hiddenAddressOf(ctx, trustedProxies) : undefined;
    // Anybody may send the header: each line comes once, whoever causes it.
    if (reason && due.delete(reason)) log.warn({ proxy: remoteAddress(ctx) }, words[reason]);
    return next();
  };
}
