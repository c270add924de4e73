import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Fault, type ScriptedServer, startScriptedServer } from './scriptedServer.js';

let server: ScriptedServer;
let dashboard: Server;
let dashboardUrl: string;
let posts: Array<{ url: string; body: unknown; userAgent: string }>;
let startupAnswer: string;
let startupStatus: number;

beforeEach(async () => {
  posts = [];
  startupStatus = 200;
  server = await startScriptedServer();
  dashboard = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { url = '', headers } = request;
      const userAgent = headers['user-agent'] ?? '';
      posts.push({ url, body: body && JSON.parse(body), userAgent });
      response.writeHead(request.method === 'GET' ? startupStatus : 204);
      response.end(request.method === 'GET' ? startupAnswer : undefined);
    });
  });
  await new Promise<void>((resolve) => dashboard.listen(0, '127.0.0.1', resolve));
  dashboardUrl = `http://127.0.0.1:${(dashboard.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await server.stop();
  await new Promise((resolve) => dashboard.close(resolve));
});

async function ask(method: string, path: string, body?: string) {
  const init = { method, redirect: 'manual', ...(body === undefined ? {} : { body }) } as const;
  const response = await fetch(`http://${server.id}${path}`, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function put(active: boolean, eventsUrl = `${dashboardUrl}/api/events/t`) {
  return ask('PUT', '/api/dashboard', JSON.stringify({ active, eventsUrl }));
}

/** Resolves when the server has received this many requests. */
async function received(count: number): Promise<void> {
  while (server.requests.length < count) await new Promise((resolve) => setImmediate(resolve));
}

describe('without a script', () => {
  test('an activation sets flag and URL and answers a chunked snapshot', async () => {
    server.rooms.set('a', 2).set('b', 0).set('__proto__', 1);
    const { status, headers, text } = await put(true);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('transfer-encoding')).toBe('chunked');
    expect(text).toBe('[{"a":2},{"b":0},{}]');
    expect(server).toMatchObject({ active: true, eventsUrl: `${dashboardUrl}/api/events/t` });
    expect(server.requests).toEqual([
      expect.objectContaining({ method: 'PUT', path: '/api/dashboard', body: expect.any(String) }),
    ]);
  });

  test('a deactivation is answered okay', async () => {
    await put(true);
    const { headers, text } = await put(false);
    expect(headers.get('content-type')).toContain('text/plain');
    expect(text).toBe('okay');
    expect(server.active).toBe(false);
  });

  test.each(['', 'x', 'null', '[]', '{}', '{"active":true}', '{"eventsUrl":"http://a"}'])(
    'a PUT with body %j is fatal',
    async (body) => {
      await expect(ask('PUT', '/api/dashboard', body)).rejects.toThrow();
      expect(server.fatal).toEqual([`PUT /api/dashboard with ${JSON.stringify(body)}`]);
    },
  );

  test('another method on that path is fatal, and never answered', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /api/dashboard HTTP/1.1\r\nHost: a\r\n\r\n');
    await received(1);
    expect(server.fatal).toEqual(['GET /api/dashboard is never answered']);
    socket.destroy();
  });

  test('the path is exact', async () => {
    expect((await ask('PUT', '/api/dashboard/', '{}')).status).toBe(401);
    expect((await ask('PUT', '/api/dashboard?x=1', '{}')).status).toBe(401);
    expect(server.fatal).toEqual([]);
  });

  test('health and room states are answered', async () => {
    server.rooms.set('a', 1);
    expect(await ask('GET', '/health')).toMatchObject({ status: 200, text: 'okay' });
    expect(await ask('GET', '/')).toMatchObject({ status: 200, text: 'okay' });
    expect(await ask('GET', '/api/room?id=a=b')).toMatchObject({ status: 200, text: '\0\0' });
    expect((await ask('GET', '/api/room?id=b')).status).toBe(401);
  });
});

describe('a delta', () => {
  test('is posted verbatim to the URL of the last PUT', async () => {
    await put(true, `${dashboardUrl}/x%3A+/==?a=%20b#gone`);
    expect(await server.open('a%20b')).toEqual({ status: 204 });
    expect(await server.close('a%20b')).toEqual({ status: 204 });
    expect(posts).toEqual([
      { url: '/x%3A+/==?a=%20b', body: { room: 'a%20b', add: 1 }, userAgent: 'axios/1.7.9' },
      expect.objectContaining({ body: { room: 'a%20b', add: -1 } }),
    ]);
    expect(server.rooms).toEqual(new Map());
  });

  test('is not posted by a silent server, nor when it is to be lost', async () => {
    expect(await server.open('a')).toEqual({ lost: 'not active' });
    await put(true);
    expect(await server.open('a', { lose: true })).toEqual({ lost: 'as scripted' });
    expect(posts).toEqual([]);
    expect(server.rooms.get('a')).toBe(2);
  });

  test('goes to another URL when asked to', async () => {
    await server.open('a', { url: `${dashboardUrl}/old` });
    expect(posts.map(({ url }) => url)).toEqual(['/old']);
  });

  test('may be overtaken, and keeps the URL of its moment', async () => {
    await put(true, `${dashboardUrl}/1`);
    const slow = server.open('a', { delayMs: 30 });
    await put(true, `${dashboardUrl}/2`);
    await server.close('a');
    await slow;
    expect(posts.map(({ url }) => url)).toEqual(['/2', '/1']);
  });

  test('that cannot be delivered says why', async () => {
    expect(await server.open('a', { url: 'http://127.0.0.1:1/' })).toEqual({
      lost: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('still on its way when the server stops is lost', async () => {
    const slow = server.open('a', { delayMs: 60_000, url: dashboardUrl });
    await server.stop();
    expect(await slow).toEqual({ lost: 'stopped' });
  });

  test('cannot close what is not open', () => {
    expect(() => server.close('a')).toThrow('no connection');
  });
});

describe('a script', () => {
  const answers: Array<[Fault, boolean, { status: number; text: string }]> = [
    [{ kind: 'normal' }, true, { status: 200, text: '[{"room":1}]' }],
    [{ kind: 'status' }, false, { status: 500, text: 'fault' }],
    [{ kind: 'status', status: 503, effect: 'onArrival' }, true, { status: 503, text: 'fault' }],
    [{ kind: 'body', body: '[{},{"a":1}]' }, true, { status: 200, text: '[{},{"a":1}]' }],
    [{ kind: 'html' }, false, { status: 200, text: '<!doctype html><h1>It works!</h1>' }],
    [{ kind: 'empty' }, false, { status: 200, text: '' }],
    [{ kind: 'redirect', location: '/x' }, false, { status: 302, text: '' }],
    [{ kind: 'truncated' }, true, { status: 200, text: '[{"roo' }],
    [{ kind: 'delay', delayMs: 5 }, true, { status: 200, text: '[{"room":1}]' }],
  ];

  test.each(answers)('%j takes effect: %j', async (fault, takesEffect, expected) => {
    server.rooms.set('room', 1);
    server.respond({ ...fault, times: 1 });
    expect(await put(true)).toMatchObject(expected);
    expect(server.active).toBe(takesEffect);
    expect((await put(true)).text).toBe('[{"room":1}]');
  });

  test('pads an oversized answer that is JSON still', async () => {
    server.rooms.set('a', 1);
    server.respond({ kind: 'oversized', bytes: 100_000 });
    const { text } = await put(true);
    expect(text.length).toBeGreaterThan(100_000);
    expect(JSON.parse(text)).toEqual([{ a: 1 }]);
  });

  test.each([
    [{ kind: 'reset' }, false],
    [{ kind: 'reset', effect: 'onArrival' }, true],
    [{ kind: 'truncated', cut: true }, true],
  ] as Array<[Fault, boolean]>)('%j breaks the connection, effect: %j', async (fault, effect) => {
    server.respond(fault);
    await expect(put(true)).rejects.toThrow();
    expect(server.active).toBe(effect);
  });

  test('hangs, and takes effect on release although nobody waits any more', async () => {
    server.respond({ kind: 'hang', times: 1 });
    const controller = new AbortController();
    const body = JSON.stringify({ active: true, eventsUrl: dashboardUrl });
    const { signal } = controller;
    const hung = fetch(`http://${server.id}/api/dashboard`, { method: 'PUT', body, signal });
    await received(1);
    controller.abort();
    await expect(hung).rejects.toThrow();
    expect(server.active).toBe(false);
    server.release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.active).toBe(true);
  });

  test('hangs after taking effect: the snapshot is as old as the effect', async () => {
    server.respond({ kind: 'hang', effect: 'onArrival', times: 1 });
    const hung = put(true);
    await received(1);
    expect(server.active).toBe(true);
    server.active = false;
    server.rooms.set('later', 1);
    server.release();
    expect((await hung).text).toBe('[]');
    expect(server.active).toBe(false);
  });

  test('is taken in turn, then what lasts', async () => {
    server.respond({ kind: 'status', status: 599 });
    server.respond({ kind: 'status', status: 501, times: 2 });
    server.respond({ kind: 'status', status: 502, times: 1 });
    const statuses = [];
    for (let i = 0; i < 5; i += 1) statuses.push((await put(true)).status);
    expect(statuses).toEqual([501, 501, 502, 599, 599]);
    server.respond({ kind: 'normal' });
    expect((await put(true)).status).toBe(200);
  });

  test('is for PUT or for health', async () => {
    server.respond({ to: 'health', kind: 'status', times: 1 });
    expect((await put(false)).status).toBe(200);
    expect((await ask('GET', '/health')).status).toBe(500);
    expect((await ask('GET', '/health')).status).toBe(200);
  });
});

describe('a start-up query', () => {
  test('is applied when it answers active', async () => {
    startupAnswer = `{"active":true,"eventsUrl":"${dashboardUrl}/s"}`;
    startupStatus = 500;
    await server.askAtStartup(dashboardUrl, { port: server.port });
    await server.askAtStartup(dashboardUrl);
    expect(posts.map(({ url }) => url)).toEqual([
      `/api/events/clients?port=${server.port}`,
      '/api/events/clients',
    ]);
    expect(server).toMatchObject({ active: true, eventsUrl: `${dashboardUrl}/s` });
  });

  test('is not applied when it answers inactive', async () => {
    startupAnswer = '{"active":false,"eventsUrl":"http://a"}';
    expect(await server.askAtStartup(dashboardUrl)).toEqual(JSON.parse(startupAnswer));
    expect(server).toMatchObject({ active: false, eventsUrl: undefined });
  });

  test('can be overtaken by a PUT', async () => {
    startupAnswer = `{"active":true,"eventsUrl":"${dashboardUrl}/old"}`;
    const overtaken = put(true, `${dashboardUrl}/new`);
    await server.askAtStartup(dashboardUrl, { appliedAfter: overtaken });
    expect(server.eventsUrl).toBe(`${dashboardUrl}/old`);
  });

  test('answered with anything but JSON is fatal', async () => {
    startupAnswer = 'Not Found';
    await expect(server.askAtStartup(dashboardUrl)).rejects.toThrow('Not Found');
    expect(server.fatal).toEqual(['start-up query answered "Not Found"']);
  });
});

describe('its life', () => {
  test('a restart forgets everything, and what was under way', async () => {
    await put(true);
    await server.open('a');
    server.respond({ kind: 'hang', times: 1 });
    const hung = put(true);
    await received(2);
    server.restart();
    await expect(hung).rejects.toThrow();
    server.release();
    expect(server).toMatchObject({ active: false, eventsUrl: undefined, rooms: new Map() });
    expect((await put(true)).text).toBe('[]');
  });

  test('a late application does not outlive a restart', async () => {
    server.respond({ kind: 'delay', delayMs: 20, effect: 'onAnswer', times: 1 });
    const late = put(true);
    await received(1);
    server.restart();
    await expect(late).rejects.toThrow();
    await server.open('a', { delayMs: 40, url: dashboardUrl });
    expect(server.active).toBe(false);
  });

  test('stopping closes hung connections, twice without harm, and frees the port', async () => {
    server.respond({ kind: 'hang' });
    const hung = put(true);
    await received(1);
    await Promise.all([server.stop(), expect(hung).rejects.toThrow()]);
    await server.stop();
    server = await startScriptedServer({ port: server.port });
    expect((await put(true)).text).toBe('[]');
  });

  test('it listens on other loopback addresses', async () => {
    await server.stop();
    server = await startScriptedServer({ host: '127.0.0.2' });
    expect(server.id).toBe(`127.0.0.2:${server.port}`);
    expect((await put(true)).text).toBe('[]');
  });
});
