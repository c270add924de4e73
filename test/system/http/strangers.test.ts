import { expect, test } from '@jest/globals';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { puts, turns, useHarness } from '../../support/harness.js';
import { ask, post } from '../../support/http.js';

const harness = useHarness();
const delta = { room: 'stranger', add: 1 };

const postAsStranger = ({ url }: Service, search = '') => post(`${url}/api/events${search}`, delta);
const rosterOf = ({ actor }: Service) => actor.getSnapshot().context.roster;

/** A service that knows no server, but would look for one at this port. */
const unknowing = (port: number, env: Record<string, string> = {}) =>
  harness.service({ PUBSUB_SERVERS: '', PUBSUB_PORT: `${port}`, ...env });

test('a known server that should be silent and posts is told so once more', async () => {
  const server = await harness.server();
  const service = await harness.service();
  for (let i = 0; i < 5; i += 1) expect((await postAsStranger(service)).status).toBe(404);
  await eventually(() => expect(puts(server)).toEqual([false, false]));
  await harness.watch(service);
  expect(puts(server)).toEqual([false, false, true]);
});

test('a known server that posts again while it is being set right is told so afterwards', async () => {
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

test('a known server that is active and posts to an old URL is asked for a snapshot', async () => {
  const server = await harness.server();
  const service = await harness.service();
  const stream = await harness.watch(service);
  server.rooms.set('r', 2);
  await postAsStranger(service, '?token=of.another-run');
  await eventually(() => expect(stream.rooms()).toEqual({ r: 2 }));
  expect(puts(server)).toEqual([false, true, true]);
});

test('an unknown poster is told to be silent, at PUBSUB_PORT, and is known then', async () => {
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

test('an unknown poster that turns out to be a pub-sub server is counted while somebody looks', async () => {
  const server = await harness.server();
  server.rooms.set('r', 3);
  const service = await unknowing(server.port);
  const stream = await harness.watch(service);
  await postAsStranger(service);
  await eventually(() => expect(stream.rooms()).toEqual({ r: 3 }));
  expect(puts(server)).toEqual([true]);
});

test('an unknown poster is asked one thing at a time, whatever it asks meanwhile', async () => {
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

test('an unknown poster that is no pub-sub server is forgotten', async () => {
  const server = await harness.server();
  server.respond({ kind: 'status', status: 404 });
  const service = await unknowing(server.port);
  await postAsStranger(service);
  await eventually(() => expect([...rosterOf(service)]).toEqual([]));
  const asked = puts(server);
  expect(asked).toEqual(Array.from({ length: 5 }, () => false));
  await postAsStranger(service);
  await turns(5);
  expect(puts(server)).toEqual(asked);
});

test('an unknown poster is not hidden by whoever only says that it is at the same address', async () => {
  const server = await harness.server();
  server.active = true;
  const service = await unknowing(server.port);
  await ask(`${service.url}/api/events/clients?port=1`);
  await eventually(() => expect([...rosterOf(service)]).toHaveLength(1));
  await postAsStranger(service);
  await eventually(() => expect(server.active).toBe(false));
});

test('nor is who asks a start-up query without a port', async () => {
  const server = await harness.server();
  server.rooms.set('r', 3);
  const service = await unknowing(server.port);
  await ask(`${service.url}/api/events/clients?port=1`);
  await eventually(() => expect([...rosterOf(service)]).toHaveLength(1));
  const stream = await harness.watch(service);
  await ask(`${service.url}/api/events/clients`);
  await eventually(() => expect(stream.rooms()).toEqual({ r: 3 }));
});

test('a server that was dropped is known again when it posts to a URL that names its address alone', async () => {
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

test('a poster outside PUBSUB_NETWORKS is sent nothing', async () => {
  const server = await harness.server();
  const service = await unknowing(server.port, { PUBSUB_NETWORKS: '10.0.0.0/8' });
  for (let i = 0; i < 5; i += 1) expect((await postAsStranger(service)).status).toBe(404);
  await turns(5);
  expect(server.requests).toEqual([]);
});

test('this service is not told to be silent when it would be the one at PUBSUB_PORT', async () => {
  const server = await harness.server();
  const { port } = server;
  await server.stop();
  const service = await unknowing(port, { PORT: `${port}` });
  expect((await postAsStranger(service)).status).toBe(404);
  await turns(5);
  expect([...rosterOf(service)]).toEqual([]);
});

test('the headers of a proxy are not believed', async () => {
  const server = await harness.server();
  const service = await harness.service({ PUBSUB_NETWORKS: '127.0.0.0/8' });
  const headers = { 'X-Forwarded-For': '10.0.0.3' };
  await ask(`${service.url}/api/events`, { method: 'POST', body: '{}', headers });
  await eventually(() => expect(puts(server)).toEqual([false, false]));
});
