import { describe, expect, test } from '@jest/globals';
import { Hosts } from '../../../server/http/auth/hosts.js';
import { eventually } from '../../support/eventually.js';
import { puts, toldUrl, useHarness } from '../../support/harness.js';
import { ask, post } from '../../support/http.js';

const harness = useHarness();
const statusAs = async (host: string, url: string) =>
  (await ask(url, { headers: { Host: host } })).status;

describe('the names of a service', () => {
  const names = (allowedHosts?: string[]) =>
    new Hosts({ allowedHosts, publicUrl: 'http://dash.internal:8000/sub', isTokenRequired: false });

  test.each([
    '',
    'localhost',
    'LOCALHOST:8000',
    'localhost.:8000',
    'dash.localhost',
    '127.0.0.1:8000',
    '10.1.2.3',
    '[::1]:8000',
    '[fd00::1]',
    'dash.internal',
    'Dash.Internal.:8000',
    'dash.internal:',
  ])('include %p', (host) => expect(names().isOwn(host)).toBe(true));

  test.each([
    'evil.example',
    'localhost.evil.example',
    'notlocalhost',
    '127.0.0.1.evil.example',
    'dash.internal.evil.example',
    'evil.example:8000',
    'evil@localhost',
    'localhost/evil',
    'localhost,evil.example',
    'localhost evil.example',
    '[::1',
    '[evil.example]',
    ':8000',
    'localhost:x',
  ])('do not include %p', (host) => expect(names().isOwn(host)).toBe(false));

  test('include those of ALLOWED_HOSTS, or all', () => {
    expect(names(['a.example']).isOwn('A.example:80')).toBe(true);
    expect(names(['a.example']).isOwn('b.a.example')).toBe(false);
    expect(names(['a.example']).isOwn('dash.internal')).toBe(true);
    expect(names(['*']).isOwn('evil.example')).toBe(true);
  });
});

describe('a page whose name resolves to this service (DNS rebinding)', () => {
  const host = 'evil.example';

  test('reads neither data, nor the page, nor errors', async () => {
    const { url } = await harness.service();
    for (const path of ['/', '/api/events', '/api/state', '/api/rooms', '/api/session', '/nothing'])
      expect([path, await statusAs(host, url + path)]).toEqual([path, 421]);
    expect(await statusAs('localhost', `${url}/api/state`)).toBe(200);
  });

  test('is told which name to add, and where', async () => {
    const { url } = await harness.service();
    const { text } = await ask(`${url}/api/state`, { headers: { Host: `${host}:8000` } });
    const { message } = JSON.parse(text).error;
    for (const part of [host, 'ALLOWED_HOSTS']) expect(message).toContain(part);
  });

  test('cannot hide its name behind a trusted proxy that changes Host', async () => {
    const { url } = await harness.service({ TRUSTED_PROXIES: '127.0.0.1' });
    const statusBehind = async (own: string, said: string) => {
      const headers = { Host: own, 'X-Forwarded-Host': said };
      return (await ask(`${url}/api/state`, { headers })).status;
    };
    expect(await statusBehind('127.0.0.1:8000', host)).toBe(421);
    // Its scripts can send any X-Forwarded-Host. The proxy adds the real name after it.
    expect(await statusBehind('127.0.0.1:8000', `localhost, ${host}`)).toBe(421);
    expect(await statusBehind(host, 'localhost')).toBe(421);
    expect(await statusBehind('127.0.0.1:8000', 'localhost:8080')).toBe(200);
    const other = await harness.service();
    const headers = { Host: 'localhost', 'X-Forwarded-Host': host };
    expect((await ask(`${other.url}/api/state`, { headers })).status).toBe(200);
  });

  test('gets an answer to a start-up query, with a URL that counts nothing', async () => {
    const server = await harness.server();
    const service = await harness.service();
    const stream = await harness.watch(service);
    const query = `${service.url}/api/events/clients?port=${server.port}`;
    const { status, text } = await ask(query, { headers: { Host: host } });
    const { active, eventsUrl } = JSON.parse(text);
    expect([status, active]).toEqual([200, true]);
    expect((await post(eventsUrl, { room: 'fake', add: 1 })).status).toBe(204);
    await server.open('r');
    await eventually(() => expect(stream.rooms()).toEqual({ r: 1 }));
    for (const { data } of stream.messages) expect(data).not.toContain('fake');
    const { tally } = service.activation.getSnapshot().context;
    expect(tally.snapshotDue.size).toBe(0);
    // With a name of the service the same query is answered with a URL of that server. A post to it says
    // that the server may have restarted. The snapshot that would settle this is held back.
    server.respond({ kind: 'hang' });
    const own = JSON.parse((await ask(query)).text);
    await post(own.eventsUrl, { room: 'own', add: 1 });
    await eventually(() => expect(tally.snapshotDue.has(server.id)).toBe(true));
  });

  test('does not keep servers and health checks from using other names', async () => {
    const server = await harness.server();
    const service = await harness.service();
    const stream = await harness.watch(service);
    const headers = { Host: 'dashboard.of.the.fleet:8000', 'Content-Type': 'application/json' };
    const body = JSON.stringify({ room: 'r', add: 1 });
    const { status } = await ask(toldUrl(server), { method: 'POST', headers, body });
    expect(status).toBe(204);
    await eventually(() => expect(stream.rooms()).toEqual({ r: 1 }));
    for (const path of ['/health', '/ready', '/api/events/clients'])
      expect([path, await statusAs('10-0-0-7.lb.example', service.url + path)]).toEqual([
        path,
        200,
      ]);
    expect(puts(server)).not.toEqual([]);
  });

  test('is refused by the token where one is required, and by ALLOWED_HOSTS if set', async () => {
    const token = { DASHBOARD_TOKEN: 'a-token-that-nobody-guesses' };
    const open = await harness.service(token);
    expect(await statusAs(host, `${open.url}/api/state`)).toBe(401);
    const strict = await harness.service({ ...token, ALLOWED_HOSTS: 'dash.example' });
    expect(await statusAs(host, `${strict.url}/api/state`)).toBe(421);
    expect(await statusAs('dash.example', `${strict.url}/api/state`)).toBe(401);
  });
});
