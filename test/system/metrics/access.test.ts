import { describe, expect, test } from '@jest/globals';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

/** The status for each token; undefined: none. */
async function statuses(url: string, tokens: readonly (string | undefined)[]) {
  const found = [];
  for (const token of tokens)
    found.push((await ask(`${url}/metrics`, token === undefined ? {} : bearer(token))).status);
  return found;
}

describe('the metrics', () => {
  test('are text that Prometheus reads, and not stored', async () => {
    const { url } = await harness.service();
    const { headers, text } = await ask(`${url}/metrics`);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(text).toMatch(/^# HELP pubsubdash_build_info .*\n# TYPE pubsubdash_build_info gauge\n/m);
    expect(text.endsWith('\n')).toBe(true);
  });

  test('need what viewers need', async () => {
    const open = await harness.service();
    expect(await statuses(open.url, [undefined])).toEqual([200]);
    const closed = await harness.service({ DASHBOARD_TOKEN: 'viewers' });
    expect(await statuses(closed.url, [undefined, 'other', 'viewers'])).toEqual([401, 401, 200]);
  });

  test('need their own token if there is one, and take no other', async () => {
    const variables = { DASHBOARD_TOKEN: 'viewers', METRICS_TOKEN: 'scrapers' };
    const { url } = await harness.service(variables);
    const tokens = [undefined, 'viewers', 'scrapers'];
    expect(await statuses(url, tokens)).toEqual([401, 401, 200]);
    expect((await ask(`${url}/api/state`, bearer('scrapers'))).status).toBe(401);
    const open = await harness.service({ ...variables, AUTH: 'none' });
    expect(await statuses(open.url, tokens)).toEqual([401, 401, 200]);
    expect((await ask(`${open.url}/api/state`)).status).toBe(200);
  });

  test('do not take people who signed in at a proxy for scrapers', async () => {
    const proxied = {
      DASHBOARD_TOKEN: 'viewers',
      TRUSTED_PROXIES: '127.0.0.1',
      PROXY_USER_HEADER: 'X-Forwarded-User',
    };
    const headers = { 'X-Forwarded-User': 'ann', 'X-Forwarded-For': '192.0.2.1' };
    const known = await harness.service(proxied);
    const { url } = await harness.service({ ...proxied, METRICS_TOKEN: 'scrapers' });
    expect((await ask(`${known.url}/api/state`, { headers })).status).toBe(200);
    expect((await ask(`${known.url}/metrics`, { headers })).status).toBe(200);
    expect((await ask(`${url}/metrics`, { headers })).status).toBe(401);
  });

  test('are at METRICS_PORT alone if it is set, with nothing else and the same token', async () => {
    const service = await harness.service({ METRICS_PORT: '0', METRICS_TOKEN: 'scrapers' });
    const url = service.metricsUrl ?? 'none';
    expect(await statuses(url, [undefined, 'scrapers'])).toEqual([401, 200]);
    expect(await statuses(service.url, [undefined, 'scrapers'])).toEqual([404, 404]);
    for (const path of ['/', '/api/state', '/api/events', '/health'])
      expect([path, (await ask(url + path, bearer('scrapers'))).code]).toEqual([path, 'not_found']);
    expect((await ask(`${url}/metrics`, { method: 'POST' })).code).toBe('method_not_allowed');
    await service.stop();
    await expect(ask(`${url}/metrics`)).rejects.toThrow();
  });

  test('at a METRICS_PORT without a token of its own need that of viewers', async () => {
    const { metricsUrl = 'none' } = await harness.service({
      METRICS_PORT: '0',
      DASHBOARD_TOKEN: 'viewers',
    });
    expect(await statuses(metricsUrl, [undefined, 'viewers'])).toEqual([401, 200]);
  });

  test('are refused under a name that is not of this service', async () => {
    const service = await harness.service({ METRICS_PORT: '0' });
    const headers = { Host: 'evil.example' };
    const { metricsUrl = 'none' } = service;
    expect((await ask(`${metricsUrl}/metrics`, { headers })).code).toBe('host_not_allowed');
  });

  test('a METRICS_PORT that is taken stops the start, and the message names it', async () => {
    const { metricsUrl = '' } = await harness.service({ METRICS_PORT: '0' });
    const { port } = new URL(metricsUrl);
    await expect(harness.service({ METRICS_PORT: port })).rejects.toThrow(
      `METRICS_PORT is ${port}: another process listens there`,
    );
  });
});
