import { expect, test } from '@jest/globals';
import { createApp } from '../../../server/http/app.js';
import { appNeeds } from '../../support/appNeeds.js';
import { eventually } from '../../support/eventually.js';
import { puts, turns, useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';
import { untilAdmitted } from '../../support/untilAdmitted.js';

const harness = useHarness();
const changes = { path: '/api/events?stream=changes' };
const json = async (url: string) => JSON.parse((await ask(url)).text);

test('the stream has headers that keep proxies from buffering it', async () => {
  const { status, headers } = await harness.stream(await harness.service());
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('text/event-stream');
  expect(headers.get('cache-control')).toBe('no-cache, no-transform');
  expect(headers.get('x-accel-buffering')).toBe('no');
  expect(headers.get('content-length')).toBeNull();
  expect(headers.get('content-encoding')).toBeNull();
});

test.each(['rooms', 'changes'])(
  'the first frame of "%s" comes although every server hangs',
  async (kind) => {
    const servers = [await harness.server(), await harness.server()];
    const service = await harness.service();
    for (const server of servers) server.respond({ kind: 'hang' });
    const stream = await harness.stream(service, { path: `/api/events?stream=${kind}` });
    await eventually(() => expect(stream.messages.length).toBeGreaterThan(0));
    expect(stream.rooms()).toEqual({});
    for (const server of servers)
      await eventually(() => expect(puts(server)).toEqual([false, true]));
    expect(await json(`${service.url}/api/state`)).toMatchObject({
      state: 'activating',
      viewers: 1,
    });
  },
);

test('a server that hangs does not delay the counts of others', async () => {
  const [hung, other] = [await harness.server(), await harness.server()];
  other.rooms.set('r', 3);
  const service = await harness.service();
  hung.respond({ kind: 'hang' });
  const stream = await harness.stream(service, changes);
  await eventually(() => expect(stream.rooms()).toEqual({ r: 3 }));
  expect(stream.seen()).toMatchObject({ complete: false });
});

test('the compatible stream contains only the whole map, in unnamed messages', async () => {
  const server = await harness.server();
  server.rooms.set('a', 2).set('empty', 0).set('constructor', 1);
  const service = await harness.service({ LINGER_MS: '0' });
  const stream = await harness.watch(service);
  await eventually(() => expect(stream.rooms()).toEqual({ a: 2, constructor: 1 }));
  await server.open('b');
  await server.close('a');
  await server.close('constructor');
  await eventually(() => expect(stream.rooms()).toEqual({ a: 1, b: 1 }));
  for (const { event, id, data } of stream.messages) {
    expect([event, id]).toEqual([undefined, undefined]);
    for (const count of Object.values(JSON.parse(data))) expect(count).toBeGreaterThan(0);
  }
});

test('many changes at once cause few frames', async () => {
  const server = await harness.server();
  const service = await harness.service({ FRAME_INTERVAL_MS: '200' });
  const streams = [await harness.watch(service), await harness.stream(service, changes)];
  await eventually(() => expect(streams[1]?.seen()).toMatchObject({ state: 'active' }));
  const before = streams.map(({ messages }) => messages.length);
  const began = performance.now();
  await Promise.all(Array.from({ length: 300 }, (_, i) => server.open(`room ${i % 10}`)));
  for (const stream of streams)
    await eventually(() => expect(stream.rooms()).toMatchObject({ 'room 0': 30, 'room 9': 30 }));
  const allowed = 2 + Math.ceil((performance.now() - began) / 200);
  for (const [i, { messages }] of streams.entries())
    expect(messages.length - (before[i] ?? 0)).toBeLessThanOrEqual(allowed);
});

test('an unknown kind of stream is refused', async () => {
  const { url } = await harness.service();
  for (const query of ['stream=', 'stream=x', 'stream=Changes', 'stream=rooms&stream=changes'])
    expect(await ask(`${url}/api/events?${query}`)).toMatchObject({
      status: 400,
      code: 'invalid_parameter',
    });
});

test('over MAX_VIEWERS an event stream is told to reconnect later, other requests are refused', async () => {
  const service = await harness.service({ MAX_VIEWERS: '2' });
  const url = `${service.url}/api/events`;
  const viewers = [await harness.stream(service), await harness.stream(service, changes)];
  for (const Accept of ['text/event-stream', '*/*']) {
    const refused = await ask(url, { headers: { Accept } });
    expect(refused).toMatchObject({
      status: 200,
      text: expect.stringMatching(/^retry: \d{4,5}\n\n$/),
    });
    expect(refused.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
  }
  const headers = { Accept: 'application/json' };
  expect(await ask(url, { headers })).toMatchObject({ status: 503, code: 'too_many_viewers' });
  expect(await json(`${service.url}/api/state`)).toMatchObject({ viewers: 2 });

  await viewers[0]?.close();
  await untilAdmitted(
    () => harness.stream(service),
    (stream) => stream.messages.length > 0,
  );
});

test('new viewers are refused while the service drains', async () => {
  const { url } = await harness.app(createApp(appNeeds({ isDraining: () => true })));
  expect(await ask(`${url}/api/events`)).toMatchObject({
    status: 200,
    text: expect.stringMatching(/^retry: \d{4,5}\n\n$/),
  });
  const headers = { Accept: 'application/json' };
  expect((await ask(`${url}/api/events`, { headers })).code).toBe('draining');
});

test('HEAD describes the stream and opens none', async () => {
  const server = await harness.server();
  const service = await harness.service();
  const { status, headers } = await ask(`${service.url}/api/events`, { method: 'HEAD' });
  expect(status).toBe(200);
  expect(headers['content-type']).toMatch(/^text\/event-stream/);
  expect(await ask(`${service.url}/api/rooms/r/events`, { method: 'HEAD' })).toMatchObject({
    status: 200,
    text: '',
  });
  await turns(5);
  expect(await json(`${service.url}/api/state`)).toMatchObject({ viewers: 0, state: 'inactive' });
  expect(puts(server)).toEqual([false]);
});
