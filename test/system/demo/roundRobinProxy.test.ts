import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { startRoundRobinProxy } from '../../../server/demo/roundRobinProxy.js';
import { openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { owns } from './support.js';

/** An instance that tells its name, and may not be ready. */
async function startInstance(name: string, more?: RequestListener) {
  let isReady = true;
  let isHanging = false;
  const server = createServer((req, res) => {
    if (isHanging) return;
    if (req.url === '/ready') return void res.writeHead(isReady ? 200 : 503).end();
    if (req.url === '/stream') return void res.writeHead(200).write('event: from\ndata: {}\n\n');
    if (more) return more(req, res);
    res.end(name);
  });
  const url = await listen(server);
  owns(server, (it) => {
    it.close();
    it.closeAllConnections();
  });
  return {
    url,
    server,
    setReady: (now: boolean) => {
      isReady = now;
    },
    hang: () => {
      isHanging = true;
    },
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Patient: on a busy machine an instance that is well may answer late. */
const startProxy = (...instances: { url: string }[]) => startProxyWith(60_000, instances);

async function startProxyWith(checkWithinMs: number, instances: readonly { url: string }[]) {
  const urls = instances.map(({ url }) => url);
  const options = { instances: urls, checkEveryMs: 10, checkWithinMs };
  return owns(await startRoundRobinProxy(options), (it) => it.stop());
}

const textOf = async (url: string) => (await fetch(url)).text();

test('requests go to the instances in turn', async () => {
  const [a, b] = [await startInstance('a'), await startInstance('b')];
  const proxy = await startProxy(a, b);
  const servedBy = (await fetch(proxy.url)).headers.get('X-Served-By');
  expect([a.url, b.url]).toContain(servedBy);
  const answers = [await textOf(proxy.url), await textOf(proxy.url), await textOf(proxy.url)];
  expect(new Set(answers)).toEqual(new Set(['a', 'b']));
  expect(answers[2]).toBe(answers[0]);
});

test('an instance that is not ready gets no requests until it is', async () => {
  const [a, b] = [await startInstance('a'), await startInstance('b')];
  const proxy = await startProxy(a, b);
  a.setReady(false);
  await eventually(() => expect(proxy.ready()).toEqual([b.url]));
  expect([await textOf(proxy.url), await textOf(proxy.url)]).toEqual(['b', 'b']);
  a.setReady(true);
  await eventually(() => expect(proxy.ready()).toEqual([a.url, b.url]));
});

test('a request goes on to another instance if one is gone or hangs', async () => {
  const [a, b, c] = [await startInstance('a'), await startInstance('b'), await startInstance('c')];
  const proxy = await startProxyWith(200, [a, b, c]);
  a.server.close();
  a.server.closeAllConnections();
  b.hang();
  for (let i = 0; i < 3; i += 1)
    await eventually(async () => expect(await textOf(proxy.url)).toBe('c'));
});

test('a stream stays where it is, and is cut when its instance dies', async () => {
  const a = await startInstance('a');
  const proxy = await startProxy(a, await startInstance('b'));
  const streams = [
    await openEventStream(proxy.url, { path: '/stream' }),
    await openEventStream(proxy.url, { path: '/stream' }),
  ];
  for (const { close } of streams) owns(close, (leave) => leave());
  await eventually(() => expect(streams.map(({ messages }) => messages.length)).toEqual([1, 1]));
  a.server.close();
  a.server.closeAllConnections();
  await Promise.race(streams.map(({ ended }) => ended));
  await eventually(() => expect(proxy.ready()).toHaveLength(1));
  a.setReady(false);
  expect(await textOf(proxy.url)).toBe('b');
});

test('a post is passed on with its body, and not repeated', async () => {
  const bodies: string[] = [];
  const take: RequestListener = async (req, res) => {
    let body = '';
    for await (const chunk of req.setEncoding('utf8')) body += chunk;
    bodies.push(body);
    res.destroy();
  };
  const proxy = await startProxy(await startInstance('a', take), await startInstance('b', take));
  const answer = await fetch(proxy.url, { method: 'POST', body: 'once' });
  expect(answer.status).toBe(503);
  expect(bodies).toEqual(['once']);
});

test('without any instance the answer is 503', async () => {
  const proxy = await startProxy({ url: 'http://127.0.0.1:1' });
  const answer = await fetch(proxy.url);
  expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '1']);
});

test('the address of the client is added if that is wished', async () => {
  const echo: RequestListener = (req, res) => res.end(`${req.headers['x-forwarded-for']}`);
  const { url } = await startInstance('a', echo);
  expect(await textOf((await startProxy({ url })).url)).toBe('undefined');
  const options = { instances: [url], forwardsAddress: true };
  const proxy = owns(await startRoundRobinProxy(options), (it) => it.stop());
  expect(await textOf(proxy.url)).toBe('127.0.0.1');
});
