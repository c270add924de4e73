import { expect, test } from '@jest/globals';
import { ask } from '../../support/http.js';
import { startLogged } from '../security/logged.js';

/** What is said of proxies by a service that these viewers come to, one after the other. */
async function saidOf(env: Record<string, string>, forwardedFor: readonly string[], path: string) {
  const { service, lines } = await startLogged(env);
  for (const said of forwardedFor)
    await ask(service.url + path, { headers: said ? { 'X-Forwarded-For': said } : {} });
  return lines
    .map((line) => JSON.parse(line) as { msg: string; level: number; proxy?: string })
    .filter(({ proxy }) => proxy !== undefined);
}

const trusted = { TRUSTED_PROXIES: '127.0.0.1' };

test('the log names an untrusted proxy once, because its viewers share an address', async () => {
  const said = await saidOf({}, ['', '203.0.113.6', '203.0.113.7'], '/api/state');
  expect(said).toEqual([expect.objectContaining({ level: 40, proxy: '127.0.0.1' })]);
  expect(said[0]?.msg).toContain('not in TRUSTED_PROXIES');
});

test('the log names a trusted proxy with unreadable addresses once', async () => {
  const said = await saidOf(trusted, ['203.0.113.6:1', 'unknown', 'unix:'], '/api/state');
  expect(said.map(({ proxy }) => proxy)).toEqual(['127.0.0.1']);
  expect(said[0]?.msg).toContain('without an IP address');
});

test('the log does not mention trusted proxies with addresses, servers and supervisors', async () => {
  const all = ['', '203.0.113.6', '[2001:db8::6]:51234', '203.0.113.6, 127.0.0.1', '127.0.0.1'];
  expect(await saidOf(trusted, all, '/api/state')).toEqual([]);
  for (const path of ['/health', '/api/events/clients'])
    expect(await saidOf({}, ['203.0.113.6'], path)).toEqual([]);
});
