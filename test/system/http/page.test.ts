import { expect, test } from '@jest/globals';
import { createApp } from '../../../server/http/app.js';
import { appNeeds } from '../../support/appNeeds.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();

/** Where a service shows the page: one that asks for a token. */
const address = async () => (await harness.service({ DASHBOARD_TOKEN: 'secret' })).url;

test('the page is served without authentication, with a policy that only allows its own files', async () => {
  const { status, headers, text } = await ask(`${await address()}/`);
  expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
  expect(headers['content-security-policy']).not.toContain('unsafe');
  expect(headers['cache-control']).toBe('no-cache');
  expect(headers['x-content-type-options']).toBe('nosniff');
  // What it loads is named by relative paths: it may stand under any path of a proxy.
  const loaded = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
  expect(loaded.length).toBeGreaterThan(1);
  for (const path of loaded) expect(path).toMatch(/^\.\/assets\//);
});

test('its files may be cached forever, and are compressed if the client accepts that', async () => {
  const url = await address();
  const { text } = await ask(`${url}/`);
  const [script = ''] = text.match(/assets\/[^"]+\.js/) ?? [];
  const plain = await ask(`${url}/${script}`);
  expect(plain.headers['cache-control']).toMatch(/immutable$/);
  expect(plain.headers['content-encoding']).toBeUndefined();
  const small = await ask(`${url}/${script}`, { headers: { 'Accept-Encoding': 'gzip, br' } });
  expect(small.headers['content-encoding']).toBe('br');
  expect(small.headers.vary).toMatch(/accept-encoding/i);
});

/** The files that one loads: at once, and when it is shown (`import()` and workers). */
function filesIn(name: string, text: string): { now: string[]; later: string[] } {
  const named = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, file]) => file ?? '');
  if (name === '') return { now: named(/(?:src|href)="\.\/assets\/([^"]+)"/g), later: [] };
  const now = named(/(?:from|import) ?["'`]\.\/([\w.-]+\.js)["'`]/g);
  return { now, later: named(/["'`](?:\.\/|assets\/)?([\w.-]+\.(?:js|css))["'`]/g) };
}

/** The compressed bytes of a page with its charts. Other views, and what they need, are not loaded with it. */
async function firstLoad(url: string, encoding: 'br' | 'gzip'): Promise<Map<string, number>> {
  const isFirst = (file: string) => /^(?:worker|plot)-/.test(file);
  const sizes = new Map<string, number>();
  const load = async (name: string): Promise<void> => {
    if (sizes.has(name)) return;
    sizes.set(name, 0);
    const path = `${url}/${name === '' ? '' : `assets/${name}`}`;
    const { headers } = await ask(path, { headers: { 'Accept-Encoding': encoding } });
    expect([name, headers['content-encoding']]).toEqual([name, encoding]);
    sizes.set(name, Number(headers['content-length']));
    const { now, later } = filesIn(name, (await ask(path)).text);
    for (const file of [...now, ...later.filter(isFirst)]) await load(file);
  };
  await load('');
  return sizes;
}

test.each(['gzip', 'br'] as const)('the first load is under 60 kB in %s', async (encoding) => {
  const sizes = await firstLoad(await address(), encoding);
  const names = [...sizes.keys()].join(' ');
  for (const part of [/\S+css/, /\bplot-\S+js/, /\bworker-\S+js/]) expect(names).toMatch(part);
  const all = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  expect(all).toBeGreaterThan(20_000);
  expect(all).toBeLessThan(60_000);
});

test('a browser with a current copy gets 304', async () => {
  const url = await address();
  for (const encoding of ['identity', 'br']) {
    const first = await ask(`${url}/`, { headers: { 'Accept-Encoding': encoding } });
    const etag = String(first.headers.etag);
    expect(etag).toMatch(/^"[\w-]+"$/);
    const again = await ask(`${url}/`, {
      headers: { 'Accept-Encoding': encoding, 'If-None-Match': etag },
    });
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag]);
    const changed = await ask(`${url}/`, {
      headers: { 'Accept-Encoding': encoding, 'If-None-Match': '"another"' },
    });
    expect(changed.status).toBe(200);
  }
  expect((await ask(`${url}/`, { method: 'HEAD' })).headers['content-length']).toMatch(/^\d+$/);
});

test('no other files are served', async () => {
  const url = await address();
  const paths = [
    '/assets/none.js',
    '/assets/%',
    '/assets/..%2findex.html',
    '/assets/..%2f..%2fmain.js',
    '/assets/%2e%2e%2f%2e%2e%2fmain.js',
    '/assets/..\\index.html',
    '/assets/%00',
    '/assets/',
    '/index.html',
    '/assets/index.html',
  ];
  for (const path of paths) {
    const { status, headers, text } = await ask(url + path);
    expect([path, status, JSON.parse(text).error.code]).toEqual([path, 404, 'not_found']);
    expect(headers['cache-control']).toBeUndefined();
  }
});

test('a page that is not built says how to build it', async () => {
  const { url } = await harness.app(createApp(appNeeds({ page: undefined })));
  const { status, text } = await ask(`${url}/`);
  expect([status, JSON.parse(text).error.message]).toEqual([404, expect.stringContaining('build')]);
});
