/** How event streams end: each says when to come back, and that is not the same for all. */

import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { EventSource } from 'eventsource';
import { eventually } from '../../support/eventually.js';
import { type RawConnection, useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';
import { startTestService } from '../../support/service.js';
import { owns } from '../../support/stage.js';

const harness = useHarness();

const streams = [
  '/api/events',
  '/api/events?stream=changes',
  '/api/rooms/r/events',
  '/api/rooms/r/events?as=updates',
  '/api/updates',
  '/api/updates?as=updates',
  '/inspect/events',
];

/** Opens a stream; HTTP/1.0 has no chunks, so what comes is the stream itself. */
async function open(service: { url: string }, path: string, head = ''): Promise<RawConnection> {
  const stream = harness.socket(service);
  stream.send(`GET ${path} HTTP/1.0\r\nHost: localhost\r\n${head}\r\n`);
  await eventually(() => expect(stream.text()).toMatch(/\r\n\r\n: ok\n\n(.|\n)*\n\n/));
  return stream;
}

/** The wait that a stream asked for as the last thing it said; NaN: it did not. */
function waitOf(stream: RawConnection): number {
  return Number(/\n\nretry: (\d+)\n\n$/.exec(stream.text())?.[1]);
}

test.each(streams)('a shutdown ends %s and tells clients when to reconnect', async (path) => {
  const service = await harness.service({ INSPECT: 'true' });
  const stream = await open(service, path);
  await service.stop();
  await stream.closed;
  expect(waitOf(stream)).toBeGreaterThanOrEqual(5000);
  expect(waitOf(stream)).toBeLessThanOrEqual(15_000);
});

/** Whether some come early, some late, and none with most of the others. */
function expectSpread(waits: readonly number[]): void {
  const within = (from: number, to: number) => waits.filter((wait) => wait >= from && wait < to);
  expect(within(5000, 15_001)).toHaveLength(waits.length);
  expect(within(5000, 10_000).length).toBeGreaterThan(waits.length / 10);
  expect(within(10_000, 15_001).length).toBeGreaterThan(waits.length / 10);
  for (const wait of waits)
    expect(within(wait - 250, wait + 250).length).toBeLessThan(waits.length / 2);
}

test('many viewers of one service reconnect spread over time', async () => {
  const service = await harness.service();
  const viewers = await Promise.all(Array.from({ length: 60 }, () => open(service, '/api/events')));
  await service.stop();
  await Promise.all(viewers.map(({ closed }) => closed));
  expectSpread(viewers.map(waitOf));
});

test('refused viewers reconnect spread over time too', async () => {
  const service = await harness.service({ MAX_VIEWERS: '1' });
  await open(service, '/api/events');
  const waits: number[] = [];
  for (let i = 0; i < 60; i += 1) {
    const { text } = await ask(`${service.url}/api/events`);
    waits.push(Number(/^retry: (\d+)\n\n$/.exec(text)?.[1]));
  }
  expectSpread(waits);
});

describe('the end of a session', () => {
  const token = 'a-token';

  async function signedIn() {
    const service = await harness.service({ DASHBOARD_TOKEN: token, INSPECT: 'true' });
    const answer = await ask(`${service.url}/api/session`, {
      method: 'POST',
      body: JSON.stringify({ token }),
      headers: { 'Content-Type': 'application/json' },
    });
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    return { service, cookie };
  }

  test.each(streams)('ends %s and tells clients to reconnect soon', async (path) => {
    const { service, cookie } = await signedIn();
    const stream = await open(service, path, `Cookie: ${cookie}\r\n`);
    await ask(`${service.url}/api/session`, { method: 'DELETE', headers: { cookie } });
    await stream.closed;
    expect(waitOf(stream)).toBeGreaterThanOrEqual(1000);
    expect(waitOf(stream)).toBeLessThanOrEqual(3000);
  });
});

/** A balancer as they are: what it cannot pass on it answers with 502, which closes an EventSource for good. */
async function startBalancer() {
  let port: number | undefined;
  const asked: number[] = [];
  const server = createServer((incoming, outgoing) => {
    asked.push(performance.now());
    if (port === undefined) {
      outgoing.writeHead(502).end();
      return;
    }
    const { url: path, method } = incoming;
    const upstream = request({ port, host: '127.0.0.1', path, method, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    upstream.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, (it) => {
    it.close();
    it.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    leadTo: (service: { url: string } | undefined) => {
      port = service && Number(new URL(service.url).port);
    },
    /** When it was asked, in milliseconds of `performance.now()`. */
    asked,
  };
}

test('an EventSource reconnects after a restart behind a load balancer that answers 502 meanwhile', async () => {
  const server = await harness.server();
  server.rooms.set('r', 1);
  const balancer = await startBalancer();
  const start = () => startTestService({ PUBSUB_SERVERS: server.id });
  const before = await start();
  balancer.leadTo(before);
  const source = owns(new EventSource(`${balancer.url}/api/events`), (it) => it.close());
  const maps: string[] = [];
  source.onmessage = ({ data }) => maps.push(data);
  await eventually(() => expect(maps.at(-1)).toBe('{"r":1}'));

  const endedAt = performance.now();
  await before.stop();
  balancer.leadTo(undefined);
  server.rooms.set('r', 2);
  expect((await ask(balancer.url)).status).toBe(502);
  const asked = balancer.asked.length;
  const after = owns(await start(), (it) => it.stop());
  balancer.leadTo(after);
  await eventually(() => expect(maps.at(-1)).toBe('{"r":2}'));
  expect(source.readyState).toBe(source.OPEN);
  // An EventSource that was told nothing asks after three seconds.
  expect((balancer.asked[asked] ?? 0) - endedAt).toBeGreaterThanOrEqual(5000);
});
