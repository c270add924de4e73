import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../../server/config/config.js';
import { startService } from '../../../server/service.js';
import { emptyStore } from '../../support/emptyStore.js';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { type AskOptions, ask } from '../../support/http.js';
import { linesOfLog } from './logged.js';

const harness = useHarness();
const token = 'a-token-that-nobody-guesses';

const start = (env: Record<string, string> = {}) =>
  harness.service({ DASHBOARD_TOKEN: token, ...env });

interface Place {
  url: string;
}

const signIn = ({ url }: Place, given: unknown = token, headers: AskOptions['headers'] = {}) =>
  ask(`${url}/api/session`, {
    method: 'POST',
    body: JSON.stringify({ token: given }),
    headers: { 'Content-Type': 'application/json', ...headers },
  });

const stateOf = async ({ url }: Place, headers: AskOptions['headers'] = {}) =>
  (await ask(`${url}/api/state`, { headers })).status;

const setCookieOf = ({ headers }: Awaited<ReturnType<typeof ask>>) =>
  headers['set-cookie']?.[0] ?? 'none';

/** The cookie that a browser sends back. */
const cookieOf = (answer: Awaited<ReturnType<typeof ask>>) => ({
  Cookie: setCookieOf(answer).split(';', 1)[0],
});

const sessionOf = async ({ url }: Place, headers: AskOptions['headers'] = {}) =>
  JSON.parse((await ask(`${url}/api/session`, { headers })).text);

describe('signing in', () => {
  test('gets a cookie that is accepted wherever viewers need the token', async () => {
    const service = await start();
    expect(await sessionOf(service)).toMatchObject({ required: true, signedIn: false });
    expect(await stateOf(service)).toBe(401);
    const answer = await signIn(service);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(setCookieOf(answer)).toMatch(
      /^pubsub-dashboard-[\w-]{8}=[\w.-]+; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/,
    );
    expect(setCookieOf(answer)).not.toContain(token);
    const cookie = cookieOf(answer);
    expect(await stateOf(service, cookie)).toBe(200);
    expect(await sessionOf(service, cookie)).toMatchObject({ required: true, signedIn: true });
    const seen = await ask(`${service.url}/api/state`, { headers: cookie });
    expect(seen.headers['cache-control']).toBe('no-store');
    const stream = await harness.stream(service, { headers: { cookie: cookie.Cookie ?? '' } });
    await eventually(() => expect(stream.messages).toHaveLength(1));
  });

  test('is not needed by programs with a bearer token', async () => {
    const service = await start();
    const bearer = { Authorization: `Bearer ${token}` };
    expect(await stateOf(service, bearer)).toBe(200);
    expect(await sessionOf(service, bearer)).toMatchObject({ required: true, signedIn: true });
    expect(await stateOf(service, { Authorization: token })).toBe(401);
    expect((await ask(`${service.url}/api/state?token=${token}`)).status).toBe(401);
  });

  test('is not required without a token', async () => {
    const service = await harness.service();
    expect(await sessionOf(service)).toMatchObject({ required: false, signedIn: true });
    const answer = await signIn(service, 'anything');
    expect([answer.status, setCookieOf(answer)]).toEqual([204, 'none']);
  });

  test('with a wrong token is refused and sets no cookie', async () => {
    const service = await start();
    for (const wrong of ['', 'x', `${token} `, token.slice(1), token.toUpperCase()]) {
      const answer = await signIn(service, wrong);
      expect([answer.code, setCookieOf(answer)]).toEqual(['unauthorized', 'none']);
    }
  });

  test.each([
    ['text/plain', '{"token":"x"}', 'unsupported_type'],
    ['application/x-www-form-urlencoded', 'token=x', 'unsupported_type'],
    ['application/json', '{', 'invalid_json'],
    ['application/json', 'null', 'invalid_parameter'],
    ['application/json', '{"token":{"toString":1}}', 'invalid_parameter'],
    ['application/json; charset=utf-8', '{"token":["x"]}', 'invalid_parameter'],
    ['application/json', `{"token":"${'x'.repeat(4096)}"}`, 'body_too_large'],
  ])('as %s with %.20s is %s', async (type, body, code) => {
    const { url } = await start();
    const headers = { 'Content-Type': type };
    const answer = await ask(`${url}/api/session`, { method: 'POST', body, headers });
    expect(answer.code).toBe(code);
  });

  test.each(['gzip', 'deflate', 'br', 'x', 'identity, gzip'])(
    'with a body encoded as %s is refused, and nothing is unpacked',
    async (coding) => {
      const service = await start();
      const headers = { 'Content-Encoding': coding };
      const answer = await signIn(service, token, headers);
      expect([answer.status, answer.code]).toEqual([415, 'unsupported_encoding']);
      expect(setCookieOf(answer)).toBe('none');
      const body = gzipSync(JSON.stringify({ token })).toString('latin1');
      const type = { 'Content-Type': 'application/json', ...headers };
      const packed = await ask(`${service.url}/api/session`, {
        method: 'POST',
        body,
        headers: type,
      });
      expect([packed.code, setCookieOf(packed)]).toEqual(['unsupported_encoding', 'none']);
    },
  );

  test('is valid in another run only with the same token', async () => {
    const before = await start();
    const cookie = cookieOf(await signIn(before));
    expect(await stateOf(await start(), cookie)).toBe(200);
    const other = await start({ DASHBOARD_TOKEN: `${token}-changed` });
    const [, value = ''] = cookie.Cookie?.split('=') ?? [];
    const otherName = setCookieOf(await signIn(other, `${token}-changed`)).split('=')[0];
    expect(await stateOf(other, { Cookie: `${otherName}=${value}` })).toBe(401);
  });
});

describe('the cookie', () => {
  test('is Secure when the page came by https', async () => {
    const service = await start();
    const headers = { Host: 'dash.example', Origin: 'https://dash.example' };
    expect(setCookieOf(await signIn(service, token, headers))).toMatch(/; Secure$/);
    const said = { 'X-Forwarded-Proto': 'https' };
    expect(setCookieOf(await signIn(service, token, said))).not.toContain('Secure');
    const behind = await start({ TRUSTED_PROXIES: '127.0.0.1' });
    expect(setCookieOf(await signIn(behind, token, said))).toMatch(/; Secure$/);
  });

  test.each([
    ['another port', { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'no-cors' }],
    ['another site', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'cors' }],
    ['another origin', { Origin: 'http://127.0.0.1:1' }],
    ['a frame without an origin', { Origin: 'null' }],
  ])('is not accepted from a page of %s', async (_, headers) => {
    const service = await start();
    const cookie = cookieOf(await signIn(service));
    expect(await stateOf(service, { ...cookie, ...headers })).toBe(401);
    expect((await signIn(service, token, headers)).code).toBe('foreign_page');
    const out = { method: 'DELETE', headers: { ...cookie, ...headers } };
    expect((await ask(`${service.url}/api/session`, out)).code).toBe('foreign_page');
    expect(await stateOf(service, cookie)).toBe(200);
  });

  test('is accepted from a page named in X-Forwarded-Host by a trusted proxy', async () => {
    const behind = await start({ TRUSTED_PROXIES: '127.0.0.1' });
    const asked = { Host: '127.0.0.1:8000', 'X-Forwarded-Host': 'dash.example:8080' };
    const own = { ...asked, Origin: 'http://dash.example:8080' };
    const cookie = cookieOf(await signIn(behind, token, own));
    expect(await stateOf(behind, { ...cookie, ...own })).toBe(200);
    const chain = { ...own, 'X-Forwarded-Host': 'dash.example:8080, inner.example' };
    expect(await stateOf(behind, { ...cookie, ...chain })).toBe(200);
    const https = { ...asked, 'X-Forwarded-Host': 'dash.example:443' };
    expect((await signIn(behind, token, { ...https, Origin: 'https://dash.example' })).status).toBe(
      204,
    );
    const others = ['http://dash.example', 'http://evil.example', 'https://dash.example', 'null'];
    for (const origin of others)
      expect((await signIn(behind, token, { ...asked, Origin: origin })).code).toBe('foreign_page');
    const trustless = await start();
    expect((await signIn(trustless, token, own)).code).toBe('foreign_page');
  });

  test('is refused with both host names, and with what to set, behind a proxy that changes Host', async () => {
    const service = await start();
    const hidden = { Host: '127.0.0.1:8000', Origin: 'http://dash.example:8080' };
    const { text } = await signIn(service, token, hidden);
    const { message } = JSON.parse(text).error;
    for (const part of ['http://dash.example:8080', '127.0.0.1:8000', 'ALLOWED_HOSTS', 'Host'])
      expect(message).toContain(part);
    const named = await start({ ALLOWED_HOSTS: 'dash.example' });
    expect((await signIn(named, token, hidden)).status).toBe(204);
    // If the browser itself says that the page is foreign, this advice would not help.
    const foreign = { ...hidden, 'Sec-Fetch-Site': 'cross-site' };
    const other = JSON.parse((await signIn(service, token, foreign)).text).error.message;
    expect(other).not.toContain('ALLOWED_HOSTS');
  });

  test('is accepted from our own page, and from a link that is followed', async () => {
    const service = await start();
    const cookie = cookieOf(await signIn(service));
    const ways = [
      { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors' },
      { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Mode': 'navigate' },
      { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
      { Origin: service.url },
    ];
    for (const headers of ways) expect(await stateOf(service, { ...cookie, ...headers })).toBe(200);
  });

  test('is never logged, nor is the token', async () => {
    const { log, lines } = linesOfLog();
    const config = readConfig({ PORT: '0', DASHBOARD_TOKEN: token });
    const service = await startService(config, log, { openStore: async () => emptyStore });
    const cookie = cookieOf(await signIn(service));
    await signIn(service, `wrong-${token}`);
    await ask(`${service.url}/api/session`, { method: 'POST', body: token, headers: cookie });
    await ask(`${service.url}/nothing`, {
      headers: { ...cookie, Authorization: `Bearer ${token}` },
    });
    await ask(`${service.url}/api/session`, { method: 'DELETE', headers: cookie });
    await service.stop();
    expect(lines.join('')).toContain('"unauthorized"');
    const [, value = 'none'] = cookie.Cookie?.split('=') ?? [];
    for (const secret of [token, value]) expect(lines.join('')).not.toContain(secret);
  });
});

describe('signing out', () => {
  test('clears the cookie, and ends the session for every copy of it', async () => {
    const service = await start();
    const cookie = cookieOf(await signIn(service));
    const answer = await ask(`${service.url}/api/session`, { method: 'DELETE', headers: cookie });
    expect(answer.status).toBe(204);
    expect(setCookieOf(answer)).toMatch(
      /^pubsub-dashboard-[\w-]{8}=; Path=\/; Max-Age=0; HttpOnly; SameSite=Strict$/,
    );
    expect(await stateOf(service, cookie)).toBe(401);
    expect(await sessionOf(service, cookie)).toMatchObject({ required: true, signedIn: false });
  });

  test('without a session changes nothing, and does not reveal the name of the cookie', async () => {
    const service = await start();
    const answer = await ask(`${service.url}/api/session`, { method: 'DELETE' });
    expect([answer.status, setCookieOf(answer)]).toEqual([204, 'none']);
  });

  test('ends the streams of this session, and no others', async () => {
    const service = await start();
    const [cookie, other] = [cookieOf(await signIn(service)), cookieOf(await signIn(service))];
    const open = (headers: Record<string, string>) => harness.stream(service, { headers });
    const mine = [
      await open({ cookie: cookie.Cookie ?? '' }),
      await open({ cookie: cookie.Cookie ?? '' }),
    ];
    const others = [
      await open({ cookie: other.Cookie ?? '' }),
      await open({ authorization: `Bearer ${token}` }),
    ];
    await ask(`${service.url}/api/session`, { method: 'DELETE', headers: cookie });
    await Promise.all(mine.map((stream) => stream.ended));
    await eventually(async () => {
      const headers = { Authorization: `Bearer ${token}` };
      const { text } = await ask(`${service.url}/api/state`, { headers });
      expect(JSON.parse(text).viewers).toBe(2);
    });
    for (const stream of others) expect(stream.isEnded()).toBe(false);
  });
});

describe('guessing', () => {
  const wrong = { Authorization: 'Bearer wrong' };
  const right = { Authorization: `Bearer ${token}` };

  test('is locked out after ten wrong tokens of either kind, and sessions stay valid', async () => {
    const service = await start();
    const cookie = cookieOf(await signIn(service));
    for (let i = 0; i < 5; i += 1) {
      expect(await stateOf(service, wrong)).toBe(401);
      expect((await signIn(service, 'wrong')).status).toBe(401);
    }
    const refused = await signIn(service);
    expect([refused.status, refused.code]).toEqual([429, 'too_many_attempts']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    // Otherwise guessing would still find the right one.
    expect(await stateOf(service, right)).toBe(429);
    expect(await sessionOf(service, right)).toMatchObject({ required: true, signedIn: false });
    expect(await stateOf(service, cookie)).toBe(200);
    expect(await stateOf(service)).toBe(401);
  });

  test('with many requests in one packet is counted request by request', async () => {
    const service = await start();
    const guess = (bearer: string) =>
      `GET /api/state HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${bearer}\r\n\r\n`;
    const raw = harness.socket(service);
    raw.send(...Array.from({ length: 30 }, (_, i) => guess(i < 29 ? `wrong${i}` : token)));
    const statuses = () =>
      [...raw.text().matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
    await eventually(() => expect(statuses()).toHaveLength(30));
    expect(statuses().filter((status) => status === 401)).toHaveLength(10);
    expect(statuses().filter((status) => status === 429)).toHaveLength(20);
  });

  test('right tokens are not counted', async () => {
    const service = await start();
    const all = await Promise.all(Array.from({ length: 40 }, () => stateOf(service, right)));
    expect(new Set(all)).toEqual(new Set([200]));
  });

  test('is counted by the address that a trusted proxy reports, and by no other', async () => {
    const service = await start({ TRUSTED_PROXIES: '127.0.0.1' });
    const from = (address: string) => ({ 'X-Forwarded-For': address });
    for (let i = 0; i < 10; i += 1)
      await stateOf(service, { ...wrong, ...from(`9.9.9.${i}, 203.0.113.7`) });
    expect(await stateOf(service, { ...right, ...from('203.0.113.7') })).toBe(429);
    expect(await stateOf(service, { ...right, ...from('203.0.113.8') })).toBe(200);
    // One subscriber has 2^64 IPv6 addresses.
    for (let i = 0; i < 10; i += 1)
      await stateOf(service, { ...wrong, ...from(`2001:db8:0:1::${i}`) });
    expect(await stateOf(service, { ...right, ...from('2001:db8:0:1:ffff::1') })).toBe(429);
    expect(await stateOf(service, { ...right, ...from('2001:db8:0:2::1') })).toBe(200);

    const trustless = await start();
    for (let i = 0; i < 10; i += 1) await stateOf(trustless, { ...wrong, ...from(`9.9.9.${i}`) });
    expect(await stateOf(trustless, { ...right, ...from('203.0.113.8') })).toBe(429);
  });

  test.each([
    ['an IPv4 address', '203.0.113.6', '203.0.113.7'],
    ['one with a port', '203.0.113.6:51234', '203.0.113.7:51234'],
    ['another port of the same address', '203.0.113.6:1, 203.0.113.6:51234', '203.0.113.7:1'],
    ['an IPv6 address in brackets', '[2001:db8:0:1::6]', '[2001:db8:0:2::6]'],
    ['one with a port', '[2001:db8:0:1::6]:51234', '[2001:db8:0:2::6]:51234'],
    ['one with a zone', '[fe80:0:0:1::6%eth0]:51234', '[fe80:0:0:2::6%eth0]:51234'],
    ['an IPv4 address in IPv6', '[::ffff:203.0.113.6]:51234', '::ffff:203.0.113.7'],
    ['a trusted proxy behind it', '203.0.113.6:1, 127.0.0.1:51234', '203.0.113.7:1, 127.0.0.1:1'],
  ])('of %s locks out nobody else: %s', async (_, guesser, other) => {
    const service = await start({ TRUSTED_PROXIES: '127.0.0.1' });
    const from = (address: string) => ({ 'X-Forwarded-For': address });
    for (let i = 0; i < 10; i += 1) await stateOf(service, { ...wrong, ...from(guesser) });
    expect(await stateOf(service, { ...right, ...from(guesser) })).toBe(429);
    expect(await stateOf(service, { ...right, ...from(other) })).toBe(200);
    expect(await stateOf(service, right)).toBe(200);
  });

  test.each([
    'unknown',
    '_hidden',
    'unix:',
    '203.0.113.6:',
    '203.0.113.6:x',
    '[203.0.113.6',
    '[]:1',
    ':1',
    '',
  ])('from an invalid address, %p, counts for the proxy', async (said) => {
    const service = await start({ TRUSTED_PROXIES: '127.0.0.1' });
    const from = { 'X-Forwarded-For': `203.0.113.9, ${said}` };
    for (let i = 0; i < 10; i += 1) await stateOf(service, { ...wrong, ...from });
    expect(await stateOf(service, right)).toBe(429);
    const other = { 'X-Forwarded-For': '203.0.113.9' };
    expect(await stateOf(service, { ...right, ...other })).toBe(200);
  });

  test.each([
    ['IPv4 in IPv6', '::ffff:203.0.113.7', '::FFFF:CB00:7107', '0:0:0:0:0:ffff:cb00:7107'],
    ['6to4', '2002:cb00:7107::1', '2002:cb00:7107:1::1', '[2002:cb00:7107:ffff::9]:1'],
    ['NAT64', '64:ff9b::203.0.113.7', '[64:ff9b::cb00:7107]:9', '64:ff9b:1::203.0.113.7'],
    ['ports and white space', '203.0.113.7:1', ' 203.0.113.7', '203.0.113.7:65535 '],
  ])('is counted for one address in all its spellings: %s', async (_, ...spellings) => {
    const service = await start({ TRUSTED_PROXIES: '127.0.0.1' });
    const from = (address: string) => ({ 'X-Forwarded-For': address });
    for (let i = 0; i < 10; i += 1)
      await stateOf(service, { ...wrong, ...from(spellings[i % 3] ?? '') });
    expect(await stateOf(service, { ...right, ...from('203.0.113.7') })).toBe(429);
    for (const other of ['203.0.113.6', '64:ff9b::203.0.113.6', '2002:cb00:7106::1'])
      expect([other, await stateOf(service, { ...right, ...from(other) })]).toEqual([other, 200]);
  });

  test('from many addresses is locked out after 300 wrong tokens', async () => {
    const service = await start({ TRUSTED_PROXIES: '127.0.0.1' });
    const from = (i: number) => ({ 'X-Forwarded-For': `203.0.${i >> 8}.${i & 255}` });
    const guess = (_: unknown, i: number) => stateOf(service, { ...wrong, ...from(i) });
    const statuses = await Promise.all(Array.from({ length: 320 }, guess));
    expect(statuses.filter((status) => status === 401).length).toBe(300);
    expect(await stateOf(service, { ...right, ...from(1000) })).toBe(429);
  });
});
