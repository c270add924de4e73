import http from 'node:http';
import { hostname } from 'node:os';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Signatures } from '../../../server/agent/signatures.js';
import { type FakeDashboard, startFakeDashboard } from '../demo/support.js';
import { type StartedAgent, startAgent } from './support.js';

interface Sent {
  method: string;
  path: string;
  body?: string;
  headers?: http.OutgoingHttpHeaders;
}

/** Sends a request with exactly these headers. */
function ask(port: number, { method, path, body, headers = {} }: Sent) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers, agent: false };
    const request = http.request(options, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode ?? 0, text });
    });
    request.on('error', reject).end(body);
  });
}

/** Signs as the service does. */
function signed(
  secret: string,
  { method, path, body = '', headers = {} }: Sent,
  atMs = Date.now(),
) {
  const host = String(headers.host);
  const signatures = new Signatures([secret], () => atMs);
  const header = signatures.sign({ method, host, target: path, body });
  return { method, path, body, headers: { ...headers, 'dashboard-signature': header } };
}

const eventsUrl = 'http://127.0.0.1:1/';
const activation: Sent = {
  method: 'PUT',
  path: '/api/dashboard',
  body: JSON.stringify({ active: true, eventsUrl }),
};
const requests: Sent[] = [
  activation,
  {
    method: 'PUT',
    path: '/api/dashboard/rooms',
    body: JSON.stringify({ rooms: ['r'], eventsUrl }),
  },
  { method: 'GET', path: '/api/room?id=r' },
  { method: 'GET', path: '/api/room?name=r' },
  { method: 'GET', path: '/health' },
];

/** What a stranger may have changed or learned. */
function expectNothing({ agent }: StartedAgent, text: string): void {
  expect(agent.activation().active).toBe(false);
  expect(agent.isWatched('r')).toBe(false);
  expect(text).not.toContain('state of');
}

describe('an agent with a secret', () => {
  let started: StartedAgent;
  let host: string;

  beforeEach(async () => {
    started = await startAgent({ secret: ['new', 'old'], advertise: 'web-1.example:81' });
    started.connections.set('r', 1);
    host = `127.0.0.1:${started.port}`;
  });

  const reasonOf = (text: string) => JSON.parse(text).error;

  test.each(requests)('refuses $method $path without a signature', async (request) => {
    const { status, text } = await ask(started.port, request);
    expect(status).toBe(401);
    expect(reasonOf(text)).toEqual({
      code: 'signature_invalid',
      message: expect.stringContaining('missing'),
    });
    expectNothing(started, text);
    expect(started.logged).toHaveLength(1);
  });

  test.each(requests)('refuses $method $path signed with another secret', async (request) => {
    const sent = signed('other', { ...request, headers: { host } });
    const { status, text } = await ask(started.port, sent);
    expect([status, reasonOf(text).message]).toEqual([401, expect.stringContaining('secret')]);
    expectNothing(started, text);
  });

  test.each(requests)('takes $method $path signed with either secret', async (request) => {
    for (const secret of ['new', 'old']) {
      const sent = signed(secret, { ...request, headers: { host } });
      expect((await ask(started.port, sent)).status).toBe(200);
    }
  });

  test('refuses a request that was changed on its way', async () => {
    const sent = signed('new', { ...activation, headers: { host } });
    const body = activation.body?.replace('1:1/', '1:2/') ?? '';
    expect((await ask(started.port, { ...sent, body })).status).toBe(401);
    expect((await ask(started.port, sent)).status).toBe(200);
  });

  test('takes a request once', async () => {
    const sent = signed('new', { ...activation, headers: { host } });
    expect((await ask(started.port, sent)).status).toBe(200);
    expect((await ask(started.port, sent)).status).toBe(401);
  });

  test('tells by how much the clock differs', async () => {
    const sent = signed('new', { ...activation, headers: { host } }, Date.now() - 3_600_000);
    const { status, text } = await ask(started.port, sent);
    expect(status).toBe(401);
    expect(reasonOf(text).message).toMatch(/differs by 36\d\d s/);
  });

  test.each(['other.example:81', 'other.invalid', '127.0.0.1:1', '10.255.255.254:80'])(
    'refuses a request for another host: %s',
    async (other) => {
      const sent = signed('new', { ...activation, headers: { host: other } });
      const { status, text } = await ask(started.port, sent);
      expect([status, reasonOf(text).message]).toEqual([
        401,
        expect.stringContaining(`another host ${JSON.stringify(other)}`),
      ]);
      expectNothing(started, text);
    },
  );

  test.each(['web-1.example:81', 'WEB-1.example:81', '[::1]:', 'localhost:', `${hostname()}:`])(
    'takes a request for its own host %s',
    async (own) => {
      const named = own.endsWith(':') ? `${own}${started.port}` : own;
      const sent = signed('new', { ...activation, headers: { host: named } });
      expect((await ask(started.port, sent)).status).toBe(200);
    },
  );

  test('takes any eventsUrl', async () => {
    const body = JSON.stringify({ active: true, eventsUrl: 'http://192.0.2.1/' });
    const sent = signed('new', { ...activation, body, headers: { host } });
    expect((await ask(started.port, sent)).status).toBe(200);
  });
});

describe('an agent without a secret', () => {
  let dashboard: FakeDashboard;

  beforeEach(async () => {
    dashboard = await startFakeDashboard();
  });

  test.each(requests)('refuses $method $path from outside its networks', async (request) => {
    const started = await startAgent({ networks: ['10.0.0.0/8', '::1', 'no CIDR'] });
    started.connections.set('r', 1);
    const { status, text } = await ask(started.port, request);
    expect([status, JSON.parse(text).error.code]).toEqual([403, 'forbidden']);
    expectNothing(started, text);
    expect(started.logged).toHaveLength(2);
  });

  test.each(['x-forwarded-for', 'forwarded', 'via', 'origin', 'accept-language', 'sec-fetch-site'])(
    'refuses a request with %s, of a proxy or browser',
    async (header) => {
      const started = await startAgent();
      started.connections.set('r', 1);
      for (const request of requests) {
        const sent = { ...request, headers: { [header]: '127.0.0.1' } };
        const { status, text } = await ask(started.port, sent);
        expect(status).toBe(403);
        expectNothing(started, text);
      }
    },
  );

  const put = (port: number, path: string, body: object) =>
    ask(port, { method: 'PUT', path, body: JSON.stringify(body) });

  test('posts to no other host', async () => {
    const started = await startAgent({ url: dashboard.url });
    for (const host of ['192.0.2.1', 'dashboard.example', '[2001:db8::1]']) {
      const url = `http://${host}/api/events`;
      const answers = [
        await put(started.port, '/api/dashboard', { active: true, eventsUrl: url }),
        await put(started.port, '/api/dashboard/rooms', { rooms: ['r'], eventsUrl: url }),
      ];
      for (const { status, text } of answers) {
        expect([status, text]).toEqual([403, expect.stringContaining('Add it to `dashboards`')]);
        expectNothing(started, text);
      }
    }
    expect(started.logged.filter((line) => line.includes('eventsUrl'))).toHaveLength(1);
  });

  test.each(['192.0.2.1', 'dashboard.example', '[2001:db8::1]', 'localhost', '127.0.0.1', '[::1]'])(
    'posts to a host that it was told of, and to loopback for a request from there: %s',
    async (host) => {
      const dashboards = ['192.0.2.1', 'Dashboard.Example', '2001:db8:0::1'];
      const { port, agent } = await startAgent({ dashboards });
      const url = `http://${host}/api/events`;
      await put(port, '/api/dashboard', { active: true, eventsUrl: url });
      expect(agent.activation().eventsUrl).toBe(url);
    },
  );

  test('posts to the host of its dashboard, by name or address', async () => {
    const { port, agent } = await startAgent({
      url: ['http://dashboard.invalid', 'http://192.0.2.1'],
    });
    for (const host of ['dashboard.invalid', '192.0.2.1']) {
      const url = `http://${host}:9/api/events`;
      await put(port, '/api/dashboard', { active: true, eventsUrl: url });
      expect(agent.activation().eventsUrl).toBe(url);
    }
  });
});
