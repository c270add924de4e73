import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { PubSubHttp } from '../../../server/pubsub/pubSubHttp.js';
import { eventually } from '../../support/eventually.js';

const never = new AbortController().signal;
const health = { method: 'GET', path: '/health', maxBytes: 10 } as const;
const stops: (() => void)[] = [];
let notes: string[];
let http: PubSubHttp;

const start = (requestTimeoutMs: number) => {
  notes = [];
  const note = (what: string) => (server: ServerId) => notes.push(`${what} ${server}`);
  http = new PubSubHttp({
    requestTimeoutMs,
    mayContact: () => true,
    onResolved: () => {},
    reach: { noteBegun: note('begun'), noteAnswered: note('answered'), noteFailed: note('failed') },
  });
};
beforeEach(() => start(20_000));
afterEach(() => {
  http.close();
  for (const stop of stops.splice(0)) stop();
});

async function startServer(listener: RequestListener): Promise<ServerId> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}` as ServerId;
}

test.each<[string, RequestListener]>([
  ['200', (_req, res) => void res.end('okay')],
  ['500', (_req, res) => void res.writeHead(500).end()],
  ['more than is read', (_req, res) => void res.end('x'.repeat(1000))],
])('a server that answers %s is reached', async (_what, listener) => {
  const server = await startServer(listener);
  await http.exchange(server, health, never).catch(() => {});
  expect(notes).toEqual([`begun ${server}`, `answered ${server}`]);
});

test('a server that does not answer in time is not reached', async () => {
  start(200);
  const server = await startServer(() => {});
  await expect(http.exchange(server, health, never)).rejects.toThrow();
  expect(notes).toEqual([`begun ${server}`, `failed ${server}`]);
});

test('a server that refuses the connection is not reached', async () => {
  const server = '127.0.0.1:1' as ServerId;
  await expect(http.exchange(server, health, never)).rejects.toThrow();
  expect(notes).toEqual([`begun ${server}`, `failed ${server}`]);
});

test.each<[string, (stop: AbortController) => void]>([
  ['aborts', (stop) => stop.abort()],
  ['ends with the lease', () => http.close()],
])('a request that this instance %s says nothing', async (_what, end) => {
  let isAsked = false;
  const server = await startServer(() => {
    isAsked = true;
  });
  const stop = new AbortController();
  const asking = http.exchange(server, health, stop.signal);
  const ended = expect(asking).rejects.toThrow('stopped');
  await eventually(() => expect(isAsked).toBe(true));
  end(stop);
  await ended;
  expect(notes).toEqual([`begun ${server}`]);
});
