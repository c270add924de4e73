import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { createListener } from '../../../server/http/app.js';
import { appNeeds } from '../../support/appNeeds.js';
import { eventually } from '../../support/eventually.js';
import { puts, toldUrl, useHarness } from '../../support/harness.js';
import { ask, post } from '../../support/http.js';

const harness = useHarness();
const delta = (add: unknown) => JSON.stringify({ room: 'bad', add });

/** Koa never sees the one, and routes the other. */
const spellings: [string, string][] = [
  ['as it was given out', '/api/events?'],
  ['as a proxy may spell it anew', '/API/Events/?x=1&'],
];

async function watched(spelling: string, env: Record<string, string> = {}) {
  const server = await harness.server();
  const service = await harness.service(env);
  const stream = await harness.watch(service);
  const url = toldUrl(server).replace('/api/events?', spelling);
  const { pathname, search } = new URL(url);
  return { server, service, stream, url, target: pathname + search };
}

/** The head of a POST as it goes over the wire. */
const head = (target: string, ...headers: string[]) =>
  [`POST ${target} HTTP/1.1`, 'Host: a', ...headers, '', ''].join('\r\n');

const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, n]) => n);

describe.each(spellings)('a post to the URL %s', (_, spelling) => {
  test('a body that is not JSON is refused and not counted', async () => {
    const { url, stream } = await watched(spelling);
    for (const body of [
      '',
      'x',
      '{"room":"bad","add":1',
      '[{"room":"bad","add":1},]',
      delta(1) + 1,
    ])
      expect([body, (await post(url, body)).code]).toEqual([body, 'invalid_json']);
    expect(await post(url, '{"room":"bad","add":NaN}')).toMatchObject({ code: 'invalid_json' });
    expect(stream.messages.filter(({ data }) => data.includes('bad'))).toEqual([]);
  });

  test('a body that is not a delta is refused and not counted', async () => {
    const { url, stream } = await watched(spelling);
    const adds = [0, -0, 1.5, 1001, -1001, 1e308, '1', null, true, [1], { valueOf: 1 }];
    const others = [null, 1, 'x', true, {}, [1], [null], [[]], [[{ room: 'bad', add: 1 }]]];
    const rooms = [null, 1, ['bad'], { bad: 1 }, 'bad'.repeat(10_000)];
    const bodies = [
      ...adds.map(delta),
      ...others.map((other) => JSON.stringify(other)),
      ...rooms.map((room) => JSON.stringify({ room, add: 1 })),
      '{"room":"bad","add":1e999}',
      '{"room":"bad"}',
      '{"add":1}',
      '{"__proto__":{"room":"bad","add":1}}',
      JSON.stringify([{ room: 'bad', add: 1 }, { room: 'bad' }]),
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
    ];
    for (const body of bodies)
      expect([body, (await post(url, body)).code]).toEqual([body, 'invalid_delta']);
    expect(stream.messages.filter(({ data }) => data.includes('bad'))).toEqual([]);
  });

  test('a refused body with a valid token makes the service request one snapshot', async () => {
    const { server, stream, url } = await watched(spelling);
    server.rooms.set('lost', 4);
    expect((await post(url, delta(0))).status).toBe(400);
    await eventually(() => expect(stream.rooms()).toEqual({ lost: 4 }));
    await server.open('later');
    await eventually(() => expect(stream.rooms()).toEqual({ lost: 4, later: 1 }));
    expect(puts(server)).toEqual([false, true, true]);
  });

  test('a body with a Content-Length over the limit is refused unread, and the connection is closed', async () => {
    const { server, service, target } = await watched(spelling, { MAX_BODY_BYTES: '100' });
    const client = harness.socket(service);
    client.send(head(target, 'Content-Length: 101'));
    await client.closed;
    expect(statuses(client.text())).toEqual(['413']);
    expect(client.text()).toContain('"body_too_large"');
    await eventually(() => expect(puts(server)).toEqual([false, true, true]));
  });

  test('a body that grows over the limit is refused, and the connection is closed', async () => {
    const { server, service, target } = await watched(spelling, { MAX_BODY_BYTES: '100' });
    const client = harness.socket(service);
    client.send(head(target, 'Transfer-Encoding: chunked'), `65\r\n${' '.repeat(101)}\r\n`);
    await client.closed;
    expect(statuses(client.text())).toEqual(['413']);
    expect(client.text()).toContain('"body_too_large"');
    await eventually(() => expect(puts(server)).toEqual([false, true, true]));
  });

  test('a body of exactly the maximum size is accepted', async () => {
    const { url } = await watched(spelling, { MAX_BODY_BYTES: '100' });
    expect((await post(url, `{"room":"r","add":1}${' '.repeat(80)}`)).status).toBe(204);
    expect((await post(url, `{"room":"r","add":1}${' '.repeat(81)}`)).status).toBe(413);
  });

  test('a compressed body is refused', async () => {
    const { url } = await watched(spelling);
    for (const encoding of ['gzip', 'br', 'identity, gzip']) {
      const headers = { 'Content-Encoding': encoding };
      const body = gzipSync(delta(1)).toString('latin1');
      expect(await ask(url, { method: 'POST', headers, body })).toMatchObject({
        status: 415,
        code: 'unsupported_encoding',
      });
    }
    const headers = { 'Content-Encoding': 'identity' };
    const body = '{"room":"r","add":1}';
    expect((await ask(url, { method: 'POST', headers, body })).status).toBe(204);
  });

  test('a client that disconnects inside a body makes the service request a snapshot', async () => {
    const { server, service, target } = await watched(spelling);
    server.rooms.set('lost', 1);
    const client = harness.socket(service);
    client.send(head(target, 'Content-Length: 50', 'Expect: 100-continue'), '{"room":"lost"');
    await eventually(() => expect(client.text()).toContain('100 Continue'));
    client.socket.resetAndDestroy();
    await eventually(() => expect(puts(server)).toEqual([false, true, true]));
  });

  test('a connection stays open after errors if the body was read', async () => {
    const { service, target } = await watched(spelling);
    const client = harness.socket(service);
    const say = (target: string, body: string, ...headers: string[]) =>
      client.send(head(target, `Content-Length: ${body.length}`, ...headers) + body);
    say(target, delta(0));
    await eventually(() => expect(statuses(client.text())).toEqual(['400']));
    say(`${target}A`, '{"room":"stranger","add":1}');
    await eventually(() => expect(statuses(client.text())).toEqual(['400', '404']));
    say(target, 'zzz', 'Content-Encoding: gzip');
    await eventually(() => expect(statuses(client.text())).toEqual(['400', '404', '415']));
    say(target, '{"room":"r","add":1}');
    await eventually(() => expect(statuses(client.text())).toEqual(['400', '404', '415', '204']));
  });

  test('a body that does not end in time gets 408 and counts as lost', async () => {
    const needs = appNeeds({ bodyLimits: { bodyTimeoutMs: 50 } });
    const token = needs.callbacks.tokens.mint({ kind: 'address', address: '127.0.0.1' });
    const client = harness.socket(await harness.app(createListener(needs)));
    client.send(head(`${spelling}token=${token}`, 'Content-Length: 50'), '{"room"');
    const trickle = setInterval(() => client.send(' '), 10);
    await client.closed.finally(() => clearInterval(trickle));
    expect(statuses(client.text())).toEqual(['408']);
    expect(client.text()).toContain('"body_timeout"');
    expect(needs.lost).toEqual([{ kind: 'address', address: '127.0.0.1' }]);
  });

  test('a client that disconnects is not logged as an error', async () => {
    const logged: unknown[] = [];
    const needs = appNeeds({ onLog: (line) => logged.push(line) });
    const token = needs.callbacks.tokens.mint({ kind: 'address', address: '127.0.0.1' });
    const at = await harness.app(createListener(needs));
    const client = harness.socket(at);
    client.send(head(`${spelling}token=${token}`, 'Content-Length: 50', 'Expect: 100-continue'));
    await eventually(() => expect(client.text()).toContain('100 Continue'));
    client.socket.resetAndDestroy();
    await eventually(() => expect(needs.lost).toHaveLength(1));
    expect((await ask(`${at.url}/health`)).status).toBe(200);
    expect(logged).toEqual([]);
  });
});
