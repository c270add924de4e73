import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { parseNetworks } from '../../../server/addresses.js';
import { InstanceSignatures } from '../../../server/cluster/instanceSignatures.js';
import { createApp } from '../../../server/http/app.js';
import { type AppOverrides, appNeeds } from '../../support/appNeeds.js';
import { clusterNeeds, clusterSecret } from '../../support/clusterNeeds.js';
import { FakeSource } from '../../support/fakeSource.js';
import { useHarness } from '../../support/harness.js';
import { startLogged } from './logged.js';

const harness = useHarness();
/** Another address of this machine, at which the proxy is. */
const proxyAddress = '127.0.0.2';
const proxy = {
  TRUSTED_PROXIES: proxyAddress,
  PROXY_USER_HEADER: 'X-Forwarded-User',
  SIGN_OUT_URL: '/oauth2/sign_out',
};
const token = 'a-token-that-nobody-guesses';

interface Place {
  url: string;
}

/** Headers as an object, or as a list of names and values, in which names may repeat. */
type Headers = Record<string, string> | readonly string[];

/** Sends a request from an address; by default from the proxy's. */
async function send({ url }: Place, path: string, headers: Headers, from = proxyAddress) {
  // Node adds no Host to a list.
  const sent = Array.isArray(headers) ? ['Host', new URL(url).host, ...headers] : headers;
  const options = { headers: sent as never, localAddress: from, agent: false };
  const outgoing = request(`${url}${path}`, options).end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const type = incoming.headers['content-type'] ?? '';
  if (type.startsWith('text/event-stream')) incoming.destroy();
  return {
    status: incoming.statusCode,
    headers: incoming.headers,
    body: type.startsWith('application/json') ? JSON.parse(await text(incoming)) : undefined,
  };
}

const statusOf = async (...sent: Parameters<typeof send>) => (await send(...sent)).status;
const proxySignIn = { header: 'x-forwarded-user', signOutUrl: undefined, answerMs: 60_000 };
const ada = { 'X-Forwarded-User': 'ada' };

describe('the name of a user in the header of a trusted proxy', () => {
  test('signs in on every route, and is told to that person only', async () => {
    const service = await harness.service({ ...proxy, DASHBOARD_TOKEN: token });
    for (const path of ['/api/state', '/api/rooms', '/api/events'])
      expect([path, await statusOf(service, path, ada)]).toEqual([path, 200]);
    const { body } = await send(service, '/api/session', ada);
    expect(body).toMatchObject({
      required: true,
      signedIn: true,
      byToken: true,
      user: 'ada',
      signOutUrl: '/oauth2/sign_out',
    });
    const stranger = await send(service, '/api/session', {});
    expect(stranger.body).toMatchObject({ signedIn: false, user: null, signOutUrl: null });
    const { headers } = await send(service, '/api/state', ada);
    expect(headers['cache-control']).toBe('no-store');
  });

  test('may have any letters, in UTF-8 or Latin-1', async () => {
    const service = await harness.service(proxy);
    const named = async (bytes: Buffer) => {
      const { body } = await send(service, '/api/session', {
        'X-Forwarded-User': bytes.toString('latin1'),
      });
      return body.user;
    };
    expect(await named(Buffer.from('Zoë Ångström'))).toBe('Zoë Ångström');
    expect(await named(Buffer.from('Zoë', 'latin1'))).toBe('Zoë');
    expect(await named(Buffer.from(' ada@example.org '))).toBe('ada@example.org');
  });

  test('is required without a token, which then signs nobody in', async () => {
    const service = await harness.service(proxy);
    expect(await statusOf(service, '/api/state', {})).toBe(401);
    expect(await statusOf(service, '/api/state', { 'X-Forwarded-User': '' })).toBe(401);
    // A proxy may pass on a token of its own. It counts as no guess.
    const bearer = { Authorization: 'Bearer of-the-proxy' };
    for (let i = 0; i < 20; i += 1) expect(await statusOf(service, '/api/state', bearer)).toBe(401);
    expect(await statusOf(service, '/api/state', { ...bearer, ...ada })).toBe(200);
    const { body } = await send(service, '/api/session', {});
    expect(body).toMatchObject({ required: true, signedIn: false, byToken: false });
    const outgoing = request(`${service.url}/api/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
    }).end('{"token":""}');
    const [{ statusCode }] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(statusCode).toBe(401);
  });

  test('is not needed by programs with the token', async () => {
    const service = await harness.service({ ...proxy, DASHBOARD_TOKEN: token });
    const bearer = { Authorization: `Bearer ${token}` };
    expect(await statusOf(service, '/api/state', bearer, '127.0.0.1')).toBe(200);
    expect(await statusOf(service, '/api/state', bearer)).toBe(200);
  });

  test('is ignored from any other address, also with forged headers of a proxy', async () => {
    const service = await harness.service({ ...proxy, DASHBOARD_TOKEN: token });
    const forged = { ...ada, 'X-Forwarded-For': proxyAddress, Forwarded: `for=${proxyAddress}` };
    for (const headers of [ada, forged, ['X-Forwarded-User', 'a', 'X-Forwarded-User', 'b']]) {
      expect(await statusOf(service, '/api/state', headers, '127.0.0.1')).toBe(401);
      const { body } = await send(service, '/api/session', headers, '127.0.0.1');
      expect(body).toMatchObject({ signedIn: false, user: null });
    }
  });

  test('is ignored without PROXY_USER_HEADER, and so are other headers', async () => {
    const off = await harness.service({ TRUSTED_PROXIES: proxyAddress, DASHBOARD_TOKEN: token });
    expect(await statusOf(off, '/api/state', ada)).toBe(401);
    const on = await harness.service(proxy);
    expect(await statusOf(on, '/api/state', { 'X-Forwarded-Email': 'ada' })).toBe(401);
    expect(await statusOf(on, '/api/state', { X_Forwarded_User: 'ada' })).toBe(401);
  });

  test('is refused twice, joined, too long, or with control characters', async () => {
    const service = await harness.service({ ...proxy, DASHBOARD_TOKEN: token });
    const bearer = ['Authorization', `Bearer ${token}`];
    const twice = ['X-Forwarded-User', 'ada', 'x-forwarded-user', 'ada'];
    const one = (name: string) => ['X-Forwarded-User', Buffer.from(name).toString('latin1')];
    const spoilt = [twice, one('eve, ada'), one('a'.repeat(257)), one('a\tb'), one('a\u0085b')];
    for (const headers of spoilt)
      for (const path of ['/api/state', '/api/session', '/api/events']) {
        const answer = await send(service, path, [...headers, ...bearer]);
        expect([headers, path, answer.status, answer.body?.error.code]).toEqual([
          headers,
          path,
          400,
          'invalid_user',
        ]);
      }
  });

  test('is ignored in requests of pages of other origins', async () => {
    const service = await harness.service({ ...proxy, CORS_ORIGINS: '*' });
    const foreign = [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://a.example' },
    ];
    for (const headers of foreign)
      expect(await statusOf(service, '/api/state', { ...ada, ...headers })).toBe(401);
    expect(await statusOf(service, '/api/state', { ...ada, 'Sec-Fetch-Site': 'same-origin' })).toBe(
      200,
    );
  });

  test('is refused under another host name, even with a token', async () => {
    const env = { ...proxy, DASHBOARD_TOKEN: token };
    const service = await harness.service(env);
    const other = { Host: 'a.example' };
    expect(await statusOf(service, '/api/state', { ...ada, ...other })).toBe(421);
    // Without the name it is as without the proxy.
    expect(await statusOf(service, '/api/state', other)).toBe(401);
    const named = await harness.service({ ...env, ALLOWED_HOSTS: 'a.example' });
    expect(await statusOf(named, '/api/state', { ...ada, ...other })).toBe(200);
  });

  test('is not passed on to the leader, and not taken from other instances', async () => {
    const seen: string[] = [];
    const leader = await harness.app((req, res) => {
      seen.push(JSON.stringify(req.rawHeaders).toLowerCase());
      res.setHeader('Content-Type', 'application/json').end('{}');
    });
    const overrides: AppOverrides = {
      proxySignIn,
      trustedProxies: parseNetworks(proxyAddress),
      cluster: clusterNeeds(new InstanceSignatures(clusterSecret, 'follower'), {
        leader: () => ({ instance: 'leader', term: 1, url: leader.url, isActive: true }),
      }),
    };
    const follower = await harness.app(createApp(appNeeds(overrides)));
    expect(await statusOf(follower, '/api/servers', ada)).toBe(200);
    expect(seen).toHaveLength(1);
    expect(seen.join()).not.toContain('ada');
    expect(await statusOf(follower, '/api/servers', ada, '127.0.0.1')).toBe(401);
  });

  test('ends a stream after a while, so that the proxy decides again', async () => {
    const overrides: AppOverrides = {
      proxySignIn: { ...proxySignIn, answerMs: 50 },
      trustedProxies: parseNetworks('127.0.0.1'),
      viewerToken: token,
      streams: { feed: harness.feed(new FakeSource()) },
    };
    const place = await harness.app(createApp(appNeeds(overrides)));
    const bearer = { Authorization: `Bearer ${token}` };
    const other = await harness.stream(place, { headers: bearer });
    const stream = await harness.stream(place, { headers: ada });
    expect(stream.status).toBe(200);
    await stream.ended;
    expect([stream.isEnded(), other.isEnded()]).toEqual([true, false]);
  });

  test('is never logged', async () => {
    const { service, lines } = await startLogged(proxy);
    const name = 'secret-of-person';
    const paths = ['/api/state', '/nothing', '/api/session'];
    for (const path of paths) await send(service, path, { 'X-Forwarded-User': name });
    for (const path of paths) await send(service, path, { 'X-Forwarded-User': `${name}, b` });
    await service.stop();
    expect(lines.join('')).toContain('"invalid_user"');
    expect(lines.join('')).not.toContain(name);
  });
});
