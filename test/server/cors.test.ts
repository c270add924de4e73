import { afterAll, expect, test } from '@jest/globals';
import { startTestService } from '../support/service.js';

const stops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

async function startWith(origins?: string) {
  const service = await startTestService(origins === undefined ? {} : { CORS_ORIGINS: origins });
  stops.push(service.stop);
  return (origin: string, path = '/api/state', init: RequestInit = {}) =>
    fetch(`${service.url}${path}`, { ...init, headers: { Origin: origin, ...init.headers } });
}

const allowedBy = ({ headers }: Response) => headers.get('access-control-allow-origin');

test('no page of another origin may read the answers unless told', async () => {
  const ask = await startWith();
  expect(allowedBy(await ask('https://a.example'))).toBeNull();
});

test('the pages of named origins may, errors and streams too, and no others', async () => {
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

test('a star lets every page read, and send the token that viewers need', async () => {
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
