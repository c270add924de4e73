import type { Networks } from '../addresses.js';

/** The values that signing in at a proxy depends on. */
interface ProxyValues {
  proxyUserHeader?: string;
  signOutUrl?: string;
  trustedProxies?: Networks;
  auth?: 'token' | 'none';
}

/** What contradicts signing in at a proxy. */
export function proxyContradictions(config: ProxyValues): string[] {
  const { proxyUserHeader, signOutUrl, trustedProxies, auth } = config;
  if (proxyUserHeader === undefined)
    return signOutUrl === undefined ? [] : ['PROXY_USER_HEADER is unset: SIGN_OUT_URL requires it'];
  const problems: string[] = [];
  if (trustedProxies === undefined)
    problems.push(
      'TRUSTED_PROXIES is unset: PROXY_USER_HEADER requires it, because any client can send that header',
    );
  else if (/\/0+\s*(,|$)/.test(String(trustedProxies)))
    problems.push(
      `TRUSTED_PROXIES is "${trustedProxies}": PROXY_USER_HEADER requires the addresses of the proxies alone`,
    );
  if (auth === 'none')
    problems.push('AUTH is "none": PROXY_USER_HEADER makes the service require signing in');
  return problems;
}
