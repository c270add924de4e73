import { expect, test } from '@jest/globals';
import { createApp } from '../../../server/http/app.js';
import type { Service } from '../../../server/service.js';
import { appNeeds } from '../../support/appNeeds.js';
import { eventually } from '../../support/eventually.js';
import { puts, turns, useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();
const path = '/api/events/clients';

const rosterOf = ({ activation: actor }: Service) => actor.getSnapshot().context.roster;
const shown = async ({ url }: Service) => JSON.parse((await ask(`${url}/api/servers`)).text);
const query = async ({ url }: Service, search = '', headers = {}) =>
  JSON.parse((await ask(`${url}${path}${search}`, { headers })).text);

test('the answer is 200 and JSON for any query', async () => {
  const { url } = await harness.service();
  const queries = ['', '?', '?port', '?port=', '?port=0', '?port=99999', '?port=-1', '?port=1.5'];
  queries.push('?port=1&port=2', '?port[]=1', '?port=%', '?%ff=%E0%A4%A', '?__proto__=1', '/?a');
  queries.push(`?port=${'9'.repeat(5000)}`, '?port=NaN', '?port=%00');
  for (const text of queries) {
    const answer = await ask(url + path + text);
    expect([text, answer.status]).toEqual([text, 200]);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    const { active, eventsUrl } = JSON.parse(answer.text);
    expect([text, active]).toEqual([text, false]);
    expect(eventsUrl).toMatch(`${url}/api/events?token=`);
  }
  expect(await ask(url + path, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
});

test('the answer is 200 and JSON even when the service fails', async () => {
  const defects: unknown[] = [];
  const answer = () => {
    throw new Error('defect');
  };
  const needs = appNeeds({
    startup: { answer, logDefect: (error) => defects.push(error) },
  });
  const { url } = await harness.app(createApp(needs));
  const { status, text } = await ask(url + path);
  expect([status, JSON.parse(text)]).toEqual([200, needs.startup.inactiveAnswer()]);
  expect(defects).toEqual([new Error('defect')]);
});

test('without a viewer, a known server is told to be silent, and gets no request', async () => {
  const server = await harness.server();
  const service = await harness.service();
  expect(await server.askAtStartup(service.url)).toMatchObject({ active: false });
  await harness.watch(service);
  expect(puts(server)).toEqual([false, true]);
});

test('a known server gets a request for a snapshot 50 ms after its answer', async () => {
  const server = await harness.server();
  const waits: number[] = [];
  // Any one wait may be long for other reasons; what counts is the shortest.
  for (let i = 0; i < 5; i += 1) {
    const service = await harness.service();
    const stream = await harness.watch(service);
    const before = puts(server).length;
    server.rooms.set('unannounced', i + 2);
    const at = performance.now();
    expect(await server.askAtStartup(service.url)).toMatchObject({ active: true });
    await eventually(() => expect(stream.rooms()).toEqual({ unannounced: i + 2 }));
    expect(puts(server).slice(before)).toEqual([true]);
    waits.push((server.requests.at(-1)?.at ?? 0) - at);
  }
  // A timer may be a millisecond early.
  expect(Math.min(...waits)).toBeGreaterThan(49);
});

test('a delta posted to the URL of the answer is in the next snapshot, and is counted once', async () => {
  const server = await harness.server();
  const service = await harness.service();
  const stream = await harness.watch(service);
  server.restart();
  await server.askAtStartup(service.url);
  await server.open('early');
  await eventually(() => expect(puts(server)).toEqual([false, true, true]));
  await server.open('late');
  await eventually(() => expect(stream.rooms()).toEqual({ early: 1, late: 1 }));
});

test('an unknown server is shown only after it has answered', async () => {
  const service = await harness.service();
  const stream = await harness.watch(service, { path: '/api/events?stream=changes' });
  const server = await harness.server();
  server.rooms.set('r', 1);
  server.respond({ kind: 'hang' });
  expect(await server.askAtStartup(service.url, { port: server.port })).toEqual({
    active: true,
    eventsUrl: expect.stringContaining('?token='),
  });
  await eventually(() => expect(puts(server)).toEqual([true]));
  expect(await shown(service)).toEqual([]);
  expect(stream.seen()).toMatchObject({
    complete: false,
    reason: 'no_server_known',
    servers: {},
  });

  server.respond({ kind: 'normal' });
  server.release();
  await eventually(() => expect(stream.seen().servers[server.id]).toMatchObject({ state: 'live' }));
  await eventually(() => expect(stream.rooms()).toEqual({ r: 1 }));
  expect(await shown(service)).toMatchObject([{ id: server.id, state: 'live' }]);
});

test('an unknown server is dropped after three failures', async () => {
  const service = await harness.service();
  await harness.watch(service);
  const server = await harness.server();
  server.respond({ kind: 'status' });
  await server.askAtStartup(service.url, { port: server.port });
  await eventually(() => expect(puts(server)).toEqual([true, true, true]));
  await eventually(() => expect(rosterOf(service).candidates).toBe(0));
  expect(rosterOf(service).get(server.id)).toBeUndefined();
  expect(await shown(service)).toEqual([]);
});

test('without a viewer, an unknown server is told once to be silent, and is shown when it has answered', async () => {
  const service = await harness.service();
  const server = await harness.server();
  expect(await server.askAtStartup(service.url, { port: server.port })).toMatchObject({
    active: false,
  });
  const silent = { id: server.id, state: 'silent', rooms: null };
  await eventually(async () => expect(await shown(service)).toMatchObject([silent]));
  await harness.watch(service);
  expect(puts(server)).toEqual([false, true]);
});

test('a query without a port is from the server at PUBSUB_PORT', async () => {
  const server = await harness.server();
  const service = await harness.service({ PUBSUB_SERVERS: '', PUBSUB_PORT: `${server.port}` });
  for (const search of ['', '?port=junk', '?port=0']) await query(service, search);
  expect([...rosterOf(service)].map(({ server }) => server)).toEqual([server.id]);
});

test('the service never takes itself for a pub-sub server', async () => {
  const service = await harness.service();
  await harness.watch(service);
  const { port } = new URL(service.url);
  expect(await query(service, `?port=${port}`)).toEqual({
    active: false,
    eventsUrl: `${service.url}/api/events`,
  });
  await turns(5);
  expect([...rosterOf(service)]).toEqual([]);
});

test('the service never redirects', async () => {
  const { url } = await harness.service();
  for (const target of [path, '/api/events', '/api', '/', '/health', '//', '/api/state'])
    for (const variant of [target, `${target}/`, target.toUpperCase(), `${target}?`, `/.${target}`])
      for (const method of ['HEAD', 'POST']) {
        const { status } = await ask(url + variant, { method });
        expect([method, variant, Math.floor(status / 100)]).not.toEqual([method, variant, 3]);
      }
});
