import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createApp } from '../../server/app.js';
import { Feed } from '../../server/sse/feed.js';
import { eventually } from '../support/eventually.js';
import { FakeSource } from './fakeSource.js';
import { appNeeds, ask, puts, turns, useWorld } from './support.js';

const world = useWorld();
const changes = { path: '/api/events?stream=changes' };
const json = async (url: string) => JSON.parse((await ask(url)).text);
const resumed = (id: string | undefined) => ({ ...changes, headers: { 'Last-Event-ID': id ?? '' } });

test('the stream has the headers that keep it a stream on its way', async () => {
  const { status, headers } = await world.stream(await world.service());
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('text/event-stream');
  expect(headers.get('cache-control')).toBe('no-cache, no-transform');
  expect(headers.get('x-accel-buffering')).toBe('no');
  expect(headers.get('content-length')).toBeNull();
  expect(headers.get('content-encoding')).toBeNull();
});

test.each(['rooms', 'changes'])('the first frame of "%s" comes although every server hangs', async (kind) => {
  const servers = [await world.server(), await world.server()];
  const service = await world.service();
  for (const server of servers) server.respond({ kind: 'hang' });
  const stream = await world.stream(service, { path: `/api/events?stream=${kind}` });
  await eventually(() => expect(stream.messages.length).toBeGreaterThan(0));
  expect(stream.rooms()).toEqual({});
  for (const server of servers) await eventually(() => expect(puts(server)).toEqual([false, true]));
  expect(await json(`${service.url}/api/state`)).toMatchObject({ state: 'activating', viewers: 1 });
});

test('one server that hangs keeps nobody from the numbers of the others', async () => {
  const [hung, other] = [await world.server(), await world.server()];
  other.rooms.set('r', 3);
  const service = await world.service();
  hung.respond({ kind: 'hang' });
  const stream = await world.stream(service, changes);
  await eventually(() => expect(stream.rooms()).toEqual({ r: 3 }));
  expect(stream.seen()).toMatchObject({ complete: false });
});

test('the compatible stream is the whole map in unnamed messages, and nothing else', async () => {
  const server = await world.server();
  server.rooms.set('a', 2).set('empty', 0).set('constructor', 1);
  const service = await world.service({ LINGER_MS: '0' });
  const stream = await world.watch(service);
  await eventually(() => expect(stream.rooms()).toEqual({ a: 2, constructor: 1 }));
  await server.open('b');
  await server.close('a');
  await server.close('constructor');
  await eventually(() => expect(stream.rooms()).toEqual({ a: 1, b: 1 }));
  server.respond({ kind: 'reset' });
  await service.stop();
  await stream.ended;
  for (const { event, id, data } of stream.messages) {
    expect([event, id]).toEqual([undefined, undefined]);
    for (const count of Object.values(JSON.parse(data))) expect(count).toBeGreaterThan(0);
  }
});

test('many changes at once are few frames', async () => {
  const server = await world.server();
  const service = await world.service({ FRAME_INTERVAL_MS: '200' });
  const streams = [await world.watch(service), await world.stream(service, changes)];
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

test('changes are absolute counts, gap-free by version, and 0 is gone', async () => {
  const server = await world.server();
  server.rooms.set('a', 2);
  const service = await world.service();
  const stream = await world.watch(service, changes);
  await eventually(() => expect(stream.seen()).toMatchObject({ state: 'active', complete: true }));
  for (const room of ['b', 'b', 'a']) {
    await server.open(room);
    await eventually(() => expect(stream.rooms()[room]).toBe(server.rooms.get(room)));
  }
  for (const room of ['b', 'b']) {
    await server.close(room);
    await eventually(() => expect(stream.rooms()[room]).toBe(server.rooms.get(room)));
  }
  const events = stream.messages.map(({ event, id, data }) => ({ event, id, ...JSON.parse(data) }));
  expect(events.at(-5)).toMatchObject({ event: 'changes', rooms: { b: 1 } });
  expect(events.slice(-5).map(({ rooms }) => rooms)).toEqual([
    { b: 1 },
    { b: 2 },
    { a: 3 },
    { b: 1 },
    { b: 0 },
  ]);
  const [first, ...rest] = events;
  expect(first).toMatchObject({ event: 'snapshot', complete: expect.any(Boolean) });
  for (const [i, { version }] of rest.entries()) expect(version).toBe(first?.version + i + 1);
  for (const { id, version } of events) expect(id).toMatch(new RegExp(`^[\\w-]+\\.\\d+-${version}$`));
  const told = rest.flatMap(({ servers = [] }) => servers);
  expect(told.at(-1)).toMatchObject({ id: server.id, state: 'live' });
});

test('a viewer that comes back is sent exactly what it missed', async () => {
  const server = await world.server();
  const service = await world.service();
  const witness = await world.watch(service, changes);
  const leaver = await world.stream(service, changes);
  await eventually(() => expect(leaver.messages.length).toBeGreaterThan(0));
  await leaver.close();
  const { id } = leaver.messages.at(-1) ?? {};
  for (const room of ['a', 'b', 'a']) {
    await server.open(room);
    await eventually(() => expect(witness.rooms()[room]).toBe(server.rooms.get(room)));
  }
  const at = witness.messages.findIndex((message) => message.id === id);
  const missed = witness.messages.slice(at + 1);
  const back = await world.stream(service, resumed(id));
  await eventually(() => expect(back.messages).toEqual(missed));
  await server.open('c');
  await eventually(() => expect(back.messages.at(-1)).toEqual(witness.messages.at(-1)));
});

test('over a deactivation nobody resumes', async () => {
  const server = await world.server();
  server.rooms.set('a', 1);
  const service = await world.service({ LINGER_MS: '0' });
  const first = await world.watch(service, changes);
  await eventually(() => expect(first.rooms()).toEqual({ a: 1 }));
  await first.close();
  await eventually(() => expect(puts(server)).toEqual([false, true, false]));
  server.rooms.delete('a');
  const back = await world.stream(service, resumed(first.messages.at(-1)?.id));
  await eventually(() => expect(back.messages[0]?.event).toBe('snapshot'));
  expect(back.rooms()).toEqual({});
});

test('an id of nowhere begins with a snapshot', async () => {
  const service = await world.service();
  for (const id of ['x', '0', 'a.1-1', '\u00ff', '9'.repeat(4000)]) {
    const stream = await world.stream(service, resumed(id));
    await eventually(() => expect(stream.messages[0]?.event).toBe('snapshot'));
  }
});

test('a stream of no kind is refused', async () => {
  const { url } = await world.service();
  for (const query of ['stream=', 'stream=x', 'stream=Changes', 'stream=rooms&stream=changes'])
    expect(await ask(`${url}/api/events?${query}`)).toMatchObject({
      status: 400,
      code: 'invalid_parameter',
    });
});

test('over MAX_VIEWERS an event stream is told to come back later, others are refused', async () => {
  const service = await world.service({ MAX_VIEWERS: '2' });
  const url = `${service.url}/api/events`;
  const viewers = [await world.stream(service), await world.stream(service, changes)];
  for (const Accept of ['text/event-stream', '*/*']) {
    const refused = await ask(url, { headers: { Accept } });
    expect(refused).toMatchObject({ status: 200, text: 'retry: 15000\n\n' });
    expect(refused.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
  }
  const headers = { Accept: 'application/json' };
  expect(await ask(url, { headers })).toMatchObject({ status: 503, code: 'too_many_viewers' });
  expect(await json(`${service.url}/api/state`)).toMatchObject({ viewers: 2 });

  await viewers[0]?.close();
  await eventually(async () => {
    const stream = await world.stream(service);
    await eventually(() => expect(stream.messages).toHaveLength(1), { withinMs: 100 });
  });
});

test('while the service drains nobody is let in', async () => {
  const { url } = await world.app(createApp(appNeeds({ isDraining: () => true })));
  expect(await ask(`${url}/api/events`)).toMatchObject({ status: 200, text: 'retry: 15000\n\n' });
  const headers = { Accept: 'application/json' };
  expect((await ask(`${url}/api/events`, { headers })).code).toBe('draining');
});

test('HEAD tells of the stream and opens none', async () => {
  const server = await world.server();
  const service = await world.service();
  const { status, headers } = await ask(`${service.url}/api/events`, { method: 'HEAD' });
  expect([status, headers['content-type']]).toEqual([200, 'text/event-stream']);
  await turns(5);
  expect(await json(`${service.url}/api/state`)).toMatchObject({ viewers: 0, state: 'inactive' });
  expect(puts(server)).toEqual([false]);
});

test('each viewer leaves once, however it leaves', async () => {
  const service = await world.service();
  const viewersAre = (viewers: number) =>
    eventually(async () => expect(await json(`${service.url}/api/state`)).toMatchObject({ viewers }));
  const stays = await world.stream(service);
  for (const leave of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const { socket, send, text } = world.socket(service);
    send('GET /api/events HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => expect(text()).toContain('data: {}'));
    await viewersAre(2);
    socket[leave]();
    await viewersAre(1);
  }
  expect(stays.isEnded()).toBe(false);
});

/** An application with a feed, and what its machine would have heard. */
async function lone() {
  const feed = new Feed(new FakeSource(), { run: 'run', frameIntervalMs: 0 });
  const heard = { connected: 0, disconnected: 0 };
  const viewerConnected = () => void (heard.connected += 1);
  const viewerDisconnected = () => void (heard.disconnected += 1);
  const needs = appNeeds({ feed, viewerConnected, viewerDisconnected });
  return { feed, heard, at: await world.app(createApp(needs)) };
}

test('streams asked for one behind the other on a connection end with it', async () => {
  const { feed, heard, at } = await lone();
  const client = world.socket(at);
  client.send('GET /api/events HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
  await eventually(() => expect(feed.viewers).toBe(3));
  await eventually(() => expect(heard.connected).toBe(3));
  client.socket.destroy();
  await eventually(() => expect(feed.viewers).toBe(0));
  expect(heard).toEqual({ connected: 3, disconnected: 3 });
  feed.close();
});

test('of viewers that come and go in any order none is left', async () => {
  const visit = fc.record({
    kind: fc.constantFrom('rooms', 'changes'),
    waits: fc.constantFrom('not', 'for turns', 'for a frame'),
    leaves: fc.constantFrom('destroy' as const, 'resetAndDestroy' as const, 'end' as const),
  });
  const { feed, heard, at } = await lone();
  const witness = world.socket(at);
  witness.send('GET /api/events HTTP/1.0\r\n\r\n');
  await eventually(() => expect(heard.connected).toBe(1));

  const visits = fc.sample(visit, 50);
  await Promise.all(
    visits.map(async ({ kind, waits, leaves }, i) => {
      await turns(i % 7);
      const { socket, send, text } = world.socket(at);
      send(`GET /api/events?stream=${kind} HTTP/1.0\r\n\r\n`);
      if (waits === 'for turns') await turns(i % 11);
      if (waits === 'for a frame') await eventually(() => expect(text()).toContain('data: '));
      feed.publish();
      socket[leaves]();
    }),
  );
  await eventually(() => expect(feed.viewers).toBe(1));
  await eventually(() => expect(heard.connected - heard.disconnected).toBe(1));
  witness.socket.destroy();
  await eventually(() => expect(feed.viewers).toBe(0));
  expect(heard.disconnected).toBe(heard.connected);
  feed.close();
});
