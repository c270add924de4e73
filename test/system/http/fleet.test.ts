import { expect, test } from '@jest/globals';
import { createApp } from '../../../server/http/app.js';
import { appNeeds } from '../../support/appNeeds.js';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();
const json = async (url: string) => JSON.parse((await ask(url)).text);
const viewerPaths = ['/api/events', '/api/servers', '/api/state'];
const openPaths = ['/health', '/ready', '/api/events/clients'];

test('servers are shown as silent, and with counts once there is a viewer', async () => {
  const server = await harness.server();
  server.rooms.set('a', 2).set('b', 1).set('empty', 0);
  const service = await harness.service();
  const silent = {
    id: server.id,
    state: 'silent',
    lastHeardAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    epoch: null,
    rooms: null,
    connections: null,
    overLimit: false,
    lastFailure: null,
    callback: null,
    drift: null,
  };
  expect(await json(`${service.url}/api/servers`)).toEqual([silent]);
  const inactive = { viewers: 0, servers: 1, live: 0, complete: false };
  const unknown = { rooms: null, connections: null };
  expect(await json(`${service.url}/api/state`)).toMatchObject({
    state: 'inactive',
    detail: null,
    ...inactive,
    ...unknown,
  });

  await harness.watch(service);
  const callback = `${service.url}/api/events`;
  expect(await json(`${service.url}/api/servers`)).toEqual([
    {
      ...silent,
      state: 'live',
      epoch: expect.any(Number),
      rooms: 2,
      connections: 3,
      callback,
      drift: 0,
    },
  ]);
  const active = { viewers: 1, servers: 1, live: 1, rooms: 2, connections: 3, complete: true };
  expect(await json(`${service.url}/api/state`)).toMatchObject({
    state: 'active',
    detail: 'watched',
    ...active,
  });
});

test('a server that fails is shown with the reason', async () => {
  const servers = [await harness.server(), await harness.server()] as const;
  const service = await harness.service();
  servers[1].respond({ kind: 'status', status: 503 });
  await harness.watch(service);
  await eventually(async () => {
    expect(await json(`${service.url}/api/servers`)).toMatchObject([
      { state: 'live', lastFailure: null },
      { state: 'activating', lastFailure: 'answered 503' },
    ]);
  });
  expect(await json(`${service.url}/api/state`)).toMatchObject({ live: 1, complete: false });
});

test('without a known server the totals are not complete, and the reason is given', async () => {
  const service = await harness.service();
  await harness.watch(service);
  expect(await json(`${service.url}/api/servers`)).toEqual([]);
  expect(await json(`${service.url}/api/state`)).toMatchObject({
    servers: 0,
    complete: false,
    reason: 'no_server_known',
  });
});

test('only routes for viewers require the token', async () => {
  const { url } = await harness.service({ DASHBOARD_TOKEN: 'secret' });
  for (const path of viewerPaths) {
    for (const Authorization of [
      '',
      'secret',
      'Basic secret',
      'Bearer',
      'Bearer ',
      'Bearer secre',
      'Bearer secrets',
      'Bearer secret x',
      'Bearer Secret',
    ]) {
      const { status, code, headers } = await ask(url + path, { headers: { Authorization } });
      expect([path, Authorization, status, code]).toEqual([
        path,
        Authorization,
        401,
        'unauthorized',
      ]);
      expect(headers['www-authenticate']).toBe('Bearer');
    }
    expect((await ask(`${url + path}?token=secret`)).status).toBe(401);
    const headers = { Authorization: 'bearer  secret' };
    expect((await ask(url + path, { method: 'HEAD', headers })).status).toBe(200);
  }
  for (const path of openPaths) expect((await ask(url + path)).status).toBe(200);
});

test('callbacks are accepted without the token of viewers', async () => {
  const server = await harness.server();
  const service = await harness.service({ DASHBOARD_TOKEN: 'secret' });
  const stream = await harness.watch(service, { headers: { Authorization: 'Bearer secret' } });
  expect(await server.open('r')).toEqual({ status: 204 });
  await eventually(() => expect(stream.rooms()).toEqual({ r: 1 }));
});

test('AUTH=none requires no token', async () => {
  const { url } = await harness.service({ DASHBOARD_TOKEN: 'secret', AUTH: 'none' });
  for (const path of viewerPaths)
    expect((await ask(url + path, { method: 'HEAD' })).status).toBe(200);
});

test('a path lists its methods in Allow', async () => {
  const { url } = await harness.service();
  const takes = { '/api/events': 'GET, HEAD, POST', '/api/state': 'GET, HEAD' };
  for (const [path, methods] of Object.entries(takes)) {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
      const { status, code, headers } = await ask(url + path, { method });
      expect([method, status, code]).toEqual([method, 405, 'method_not_allowed']);
      expect(headers.allow?.split(', ').sort().join(', ')).toBe(methods);
    }
    expect(await ask(url + path, { method: 'OPTIONS' })).toMatchObject({ status: 200, text: '' });
  }
  expect(await ask(`${url}/api/events/clients`, { method: 'POST' })).toMatchObject({ status: 405 });
});

test('an unknown path gets 404, with a body unless the method is HEAD', async () => {
  const { url } = await harness.service();
  for (const path of ['/none', '/api', '/api/event', '/%', '/api/events/%2e%2e'])
    expect([path, (await ask(url + path)).code]).toEqual([path, 'not_found']);
  expect(await ask(`${url}/api`, { method: 'HEAD' })).toMatchObject({ status: 404, text: '' });
});

test('a request target that is not a path gets 404', async () => {
  const logged: string[] = [];
  const at = await harness.app(createApp(appNeeds({ onLog: (line) => logged.push(line) })));
  for (const target of ['*', 'http://[/', '//', '/\\', `/${'%'.repeat(1000)}`]) {
    const client = harness.socket(at);
    client.send(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    await client.closed;
    expect([target, client.text().slice(0, 12)]).toEqual([target, 'HTTP/1.1 404']);
  }
  expect(logged.filter((line) => !line.includes('"code":"not_found"'))).toEqual([]);
});
