import { afterAll, expect, test } from '@jest/globals';
import { startTestService } from '../../support/service.js';

const stops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

async function startWith(origins?: string) {
  const service = await startTestService(origins === undefined ? {} : { CORS_ORIGINS: origins });
  stops.push(service.stop);
  return (origin: string, path = '/api/state', init: RequestInit = {}) =>
    fetch(`${service.url}${path}`, { ...init, headers: { Origin: origin, ...init.headers } });
}

const allowedBy = ({ headers }: Response) => headers.get('access-control-allow-origin');

test('pages of other origins cannot read answers by default', async () => {
  const ask = await startWith();
  expect(allowedBy(await ask('https://a.example'))).toBeNull();
});

test('no answer has CORS headers by default: streams, errors, preflights, signing in', async () => {
  const ask = await startWith();
  const origin = 'https://a.example';
  const preflight = (method: string): RequestInit => ({
    method: 'OPTIONS',
    headers: {
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': 'authorization, content-type',
      'Access-Control-Request-Private-Network': 'true',
    },
  });
  const posted = {
    method: 'POST',
    body: '{"token":"x"}',
    headers: { 'Content-Type': 'application/json' },
  };
  const gone = new AbortController();
  const asked: [path: string, status: number, init?: RequestInit][] = [
    ['/', 200],
    ['/health', 200],
    ['/openapi.json', 200],
    ['/api/state', 200],
    ['/api/rooms', 200],
    ['/api/session', 200],
    ['/api/events/clients', 200],
    ['/api/rooms/none', 404],
    ['/nothing', 404],
    ['/api/rooms?limit=0', 400],
    ['/api/events', 200, { signal: gone.signal }],
    ['/api/updates', 200, { signal: gone.signal }],
    ['/api/rooms/r/events', 200, { signal: gone.signal }],
    ['/api/state', 200, preflight('GET')],
    ['/api/events', 200, preflight('GET')],
    ['/api/session', 200, preflight('POST')],
    ['/nothing', 404, preflight('GET')],
    ['/api/session', 403, posted],
    ['/api/session', 403, { method: 'DELETE' }],
    ['/api/events?token=x', 404, posted],
  ];
  for (const [path, status, init] of asked) {
    const answer = await ask(origin, path, init);
    const names = [...answer.headers.keys()];
    const said = names.filter((name) => name.startsWith('access-control-'));
    expect([path, init?.method, answer.status, said]).toEqual([path, init?.method, status, []]);
    if (!init?.signal) await answer.text();
  }
  gone.abort();
});

test('pages of allowed origins can read answers, errors and streams, and no others can', async () => {
  const ask = await startWith('https://a.example,https://b.example:8443');
  for (const path of ['/api/state', '/api/rooms/none', '/nothing']) {
    const answer = await ask('https://b.example:8443', path);
    expect(allowedBy(answer)).toBe('https://b.example:8443');
    expect(answer.headers.get('vary')).toContain('Origin');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    await answer.text();
  }
  expect(allowedBy(await ask('https://c.example'))).toBeNull();
  expect(allowedBy(await ask('https://a.example.evil'))).toBeNull();
  const gone = new AbortController();
  const stream = await ask('https://a.example', '/api/events', { signal: gone.signal });
  expect(allowedBy(stream)).toBe('https://a.example');
  gone.abort();
});

test.each(['*', 'https://a.example'])(
  'no page can use the routes for pub-sub servers with CORS_ORIGINS=%s',
  async (origins) => {
    const ask = await startWith(origins);
    for (const path of ['/api/events/clients', '/api/events/clients/?port=1']) {
      const query = await ask('https://a.example', path);
      expect([query.status, allowedBy(query)]).toEqual([200, null]);
      expect(await query.json()).toEqual({
        active: false,
        eventsUrl: expect.not.stringContaining('token'),
      });
    }
    const post = await ask('https://a.example', '/api/events?token=x', {
      method: 'POST',
      body: '{}',
    });
    expect([post.status, allowedBy(post)]).toEqual([404, null]);
  },
);

test('with * every page can read answers and send the token of viewers', async () => {
  const ask = await startWith('*');
  expect(allowedBy(await ask('https://a.example'))).toBe('*');
  const preflight = await ask('https://a.example', '/api/events', {
    method: 'OPTIONS',
    headers: {
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'authorization',
    },
  });
  expect([preflight.status, allowedBy(preflight)]).toEqual([204, '*']);
  expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
});
