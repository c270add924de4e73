import { expect, test } from '@jest/globals';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { puts, turns, useHarness } from '../../support/harness.js';
import { ask, post } from '../../support/http.js';
import { HeapClock } from '../../unit/machines/heapClock.js';

const harness = useHarness();
const delta = { room: 'stranger', add: 1 };

const postAsStranger = ({ url }: Service, search = '') => post(`${url}/api/events${search}`, delta);
const rosterOf = ({ activation: actor }: Service) => actor.getSnapshot().context.roster;

/** A service that knows no server, but would look for one at this port. */
const unknowing = (port: number, env: Record<string, string> = {}) =>
  harness.service({ PUBSUB_SERVERS: '', PUBSUB_PORT: `${port}`, ...env });

test('a known server that posts although it should be silent is told to be silent again', async () => {
  const server = await harness.server();
  // The clock stands still: with time it would be told again.
  const service = await harness.service({}, { clock: new HeapClock() });
  for (let i = 0; i < 5; i += 1) expect((await postAsStranger(service)).status).toBe(404);
  await eventually(() => expect(puts(server)).toEqual([false, false]));
  await harness.watch(service);
  expect(puts(server)).toEqual([false, false, true]);
});

test('a known server that posts again during that request is told once more afterwards', async () => {
  const server = await harness.server();
  const service = await harness.service();
  await postAsStranger(service);
  await eventually(() => expect(puts(server)).toEqual([false, false]));
  // A late request of an earlier run of the service made it active again; it posts once more.
  server.active = true;
  await postAsStranger(service);
  await eventually(() => expect(server.active).toBe(false));
  expect(puts(server)).toEqual([false, false, false]);
});

test('an active server that posts to an old URL gets a request for a snapshot', async () => {
  const server = await harness.server();
  const service = await harness.service();
  const stream = await harness.watch(service);
  server.rooms.set('r', 2);
  await postAsStranger(service, '?token=of.another-run');
  await eventually(() => expect(stream.rooms()).toEqual({ r: 2 }));
  expect(puts(server)).toEqual([false, true, true]);
});

test('an unknown server that posts is told to be silent, at PUBSUB_PORT, and is known afterwards', async () => {
  const server = await harness.server();
  server.active = true;
  const service = await unknowing(server.port);
  for (let i = 0; i < 5; i += 1) expect((await postAsStranger(service)).status).toBe(404);
  await eventually(() => expect(server.active).toBe(false));
  await eventually(() => expect(rosterOf(service).get(server.id)?.status).toBe('silent'));
  // Nothing but to be silent is asked of it while nobody looks.
  expect(new Set(puts(server))).toEqual(new Set([false]));
  expect(puts(server).length).toBeLessThanOrEqual(2);
  const shown = JSON.parse((await ask(`${service.url}/api/servers`)).text);
  expect(shown).toEqual([expect.objectContaining({ id: server.id, state: 'silent' })]);
});

test('an unknown client that proves to be a pub-sub server is counted while there is a viewer', async () => {
  const server = await harness.server();
  server.rooms.set('r', 3);
  const service = await unknowing(server.port);
  const stream = await harness.watch(service);
  await postAsStranger(service);
  await eventually(() => expect(stream.rooms()).toEqual({ r: 3 }));
  expect(puts(server)).toEqual([true]);
});

test('an unknown server that posts gets one request at a time, even if it sends start-up queries', async () => {
  const server = await harness.server();
  server.rooms.set('r', 3);
  server.respond({ kind: 'hang', times: 1 });
  const service = await unknowing(server.port);
  await postAsStranger(service);
  await eventually(() => expect(puts(server)).toEqual([false]));
  const stream = await harness.watch(service);
  await server.askAtStartup(service.url);
  await turns(20);
  expect(puts(server)).toEqual([false]);
  server.release();
  await eventually(() => expect(stream.rooms()).toEqual({ r: 3 }));
  expect(puts(server).slice(0, 2)).toEqual([false, true]);
});

test('an unknown client that is not a pub-sub server is forgotten', async () => {
  const server = await harness.server();
  server.respond({ kind: 'status', status: 404 });
  const clock = new HeapClock();
  const service = await harness.service(
    { PUBSUB_SERVERS: '', PUBSUB_PORT: `${server.port}` },
    { clock },
  );
  await postAsStranger(service);
  await eventually(() => {
    // For its retries. The limit of 10 s for strangers goes by real time.
    clock.advance(100);
    expect(puts(server)).toHaveLength(5);
    expect([...rosterOf(service)]).toEqual([]);
  });
  const asked = puts(server);
  expect(asked).toEqual(Array.from({ length: 5 }, () => false));
  await postAsStranger(service);
  await turns(5);
  expect(puts(server)).toEqual(asked);
});

test('a start-up query from the same address does not hide an unknown server that posts', async () => {
  const server = await harness.server();
  server.active = true;
  const service = await unknowing(server.port);
  await ask(`${service.url}/api/events/clients?port=1`);
  await eventually(() => expect([...rosterOf(service)]).toHaveLength(1));
  await postAsStranger(service);
  await eventually(() => expect(server.active).toBe(false));
});

test('a start-up query with another port does not hide one without a port', async () => {
  const server = await harness.server();
  server.rooms.set('r', 3);
  const service = await unknowing(server.port);
  await ask(`${service.url}/api/events/clients?port=1`);
  await eventually(() => expect([...rosterOf(service)]).toHaveLength(1));
  const stream = await harness.watch(service);
  await ask(`${service.url}/api/events/clients`);
  await eventually(() => expect(stream.rooms()).toEqual({ r: 3 }));
});

test('a dropped server is known again when it posts to a URL with only its address', async () => {
  const server = await harness.server();
  server.rooms.set('r', 3);
  server.respond({ kind: 'status', status: 404 });
  const service = await unknowing(server.port);
  const stream = await harness.watch(service);
  const query = `${service.url}/api/events/clients?port=${server.port}`;
  const { text } = await ask(query, { headers: { Host: 'not.its.name' } });
  await eventually(() => expect(puts(server).length).toBeGreaterThan(0));
  await eventually(() => expect([...rosterOf(service)]).toEqual([]));
  server.respond({ kind: 'normal' });
  expect((await post(JSON.parse(text).eventsUrl, delta)).status).toBe(204);
  await eventually(() => expect(stream.rooms()).toEqual({ r: 3 }));
});

test('a client outside PUBSUB_NETWORKS that posts gets no request', async () => {
  const server = await harness.server();
  const service = await unknowing(server.port, { PUBSUB_NETWORKS: '10.0.0.0/8' });
  for (let i = 0; i < 5; i += 1) expect((await postAsStranger(service)).status).toBe(404);
  await turns(5);
  expect(server.requests).toEqual([]);
});

test('the service does not tell itself to be silent if it listens on PUBSUB_PORT', async () => {
  const server = await harness.server();
  const { port } = server;
  await server.stop();
  const service = await unknowing(port, { PORT: `${port}` });
  expect((await postAsStranger(service)).status).toBe(404);
  await turns(5);
  expect([...rosterOf(service)]).toEqual([]);
});

test('headers of a proxy are ignored', async () => {
  const server = await harness.server();
  const service = await harness.service({ PUBSUB_NETWORKS: '127.0.0.0/8' });
  const headers = { 'X-Forwarded-For': '10.0.0.3' };
  await ask(`${service.url}/api/events`, { method: 'POST', body: '{}', headers });
  await eventually(() => expect(puts(server)).toEqual([false, false]));
});
