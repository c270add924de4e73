import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { type RawConnection, useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();
const proxied = { TRUSTED_PROXIES: '127.0.0.1', MAX_VIEWERS_PER_ADDRESS: '3' };
const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });

const viewersOf = async ({ url }: { url: string }) =>
  JSON.parse((await ask(`${url}/api/state`)).text).viewers;

test('one address has a limited number of viewers, and leaves the other places free', async () => {
  const service = await harness.service(proxied);
  const url = `${service.url}/api/events`;
  const greedy = [];
  for (let i = 0; i < 3; i += 1) greedy.push(await harness.stream(service, from('203.0.113.7')));
  const refused = { headers: { ...from('203.0.113.7').headers, Accept: 'application/json' } };
  expect(await ask(url, refused)).toMatchObject({ status: 503, code: 'too_many_viewers' });
  expect((await ask(url, from('203.0.113.7'))).text).toMatch(/^retry: \d{4,5}\n\n$/);
  for (const path of ['/api/updates', '/api/rooms/r/events'])
    expect((await ask(service.url + path, refused)).code).toBe('too_many_viewers');
  await harness.stream(service, from('203.0.113.8'));
  expect(await viewersOf(service)).toBe(4);
  // A viewer who leaves makes room.
  await greedy[0]?.close();
  await eventually(async () => expect(await viewersOf(service)).toBe(3));
  await harness.stream(service, from('203.0.113.7'));
  await eventually(async () => expect(await viewersOf(service)).toBe(4));
});

test('a /64 of IPv6 is one address', async () => {
  const service = await harness.service(proxied);
  for (let i = 0; i < 3; i += 1) await harness.stream(service, from(`2001:db8::${i}`));
  const refused = await ask(`${service.url}/api/events`, from('2001:db8::ffff:1'));
  expect(refused.text).toMatch(/^retry: \d{4,5}\n\n$/);
  await harness.stream(service, from('2001:db8:0:1::1'));
  expect(await viewersOf(service)).toBe(4);
});

test('X-Forwarded-For counts only behind a trusted proxy, and loopback has no limit', async () => {
  const service = await harness.service({ MAX_VIEWERS_PER_ADDRESS: '3' });
  for (let i = 0; i < 5; i += 1) await harness.stream(service, from('203.0.113.7'));
  expect(await viewersOf(service)).toBe(5);
});

test('a thousand viewers from one address are served, more are refused, and other addresses are served', async () => {
  const server = await harness.server();
  const service = await harness.service({ TRUSTED_PROXIES: '127.0.0.1' });
  /** Opens streams from one address, each on its own connection. */
  const dial = (count: number, address: string, accept = 'text/event-stream') =>
    Array.from({ length: count }, () => {
      const raw = harness.socket(service);
      raw.send(
        'GET /api/events?stream=changes HTTP/1.1\r\nHost: localhost\r\n',
        `X-Forwarded-For: ${address}\r\nAccept: ${accept}\r\n\r\n`,
      );
      return raw;
    });
  const isServed = (raw: RawConnection) => raw.text().includes('event: snapshot');
  // Not all at once: a connection is closed if its request does not come within 10 s.
  const crowd: RawConnection[] = [];
  for (let i = 0; i < 10; i += 1) {
    const some = dial(100, '203.0.113.7');
    await eventually(() => expect(some.filter(isServed).length).toBe(100));
    crowd.push(...some);
  }
  expect(await viewersOf(service)).toBe(1000);

  const [pages, programs] = [dial(50, '203.0.113.7'), dial(50, '203.0.113.7', 'application/json')];
  await eventually(() => {
    for (const raw of pages) {
      expect(raw.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(raw.text()).toMatch(/\r\n\r\nretry: \d{4,5}\n\n$/);
    }
    for (const raw of programs) {
      expect(raw.text()).toMatch(/^HTTP\/1\.1 503 /);
      expect(raw.text()).toContain('"code":"too_many_viewers"');
    }
  });
  expect(await viewersOf(service)).toBe(1000);

  const other = await harness.watch(service, {
    path: '/api/events?stream=changes',
    ...from('203.0.113.8'),
  });
  expect((await server.open('r')) as object).toEqual({ status: 204 });
  await eventually(() => expect(other.rooms()).toEqual({ r: 1 }));
  await eventually(() =>
    expect(crowd.filter((raw) => raw.text().includes('"rooms":{"r":1}')).length).toBe(1000),
  );

  for (const { socket } of crowd) socket.destroy();
  await eventually(async () => expect(await viewersOf(service)).toBe(1));
  const again = dial(1000, '203.0.113.7');
  await eventually(() => expect(again.filter(isServed).length).toBe(1000));
  expect(await viewersOf(service)).toBe(1001);
  expect(other.isEnded()).toBe(false);
});
