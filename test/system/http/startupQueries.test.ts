import { expect, test } from '@jest/globals';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { puts, turns, useHarness } from '../../support/harness.js';
import { ask, post } from '../../support/http.js';

const harness = useHarness();

const rosterOf = ({ activation: actor }: Service) => actor.getSnapshot().context.roster;
const query = async ({ url }: Service, search = '', headers = {}) =>
  JSON.parse((await ask(`${url}/api/events/clients${search}`, { headers })).text);

test('the port tells servers at the same address apart', async () => {
  const servers = [await harness.server(), await harness.server()] as const;
  const service = await harness.service();
  await harness.watch(service);
  await query(service, `?port=${servers[1].port}`);
  await eventually(() => expect(puts(servers[1])).toEqual([false, true, true]));
  expect(puts(servers[0])).toEqual([false, true]);
});

test('a delta posted to the URL of an answer is not counted, because the next snapshot contains it', async () => {
  const server = await harness.server();
  server.rooms.set('before', 1);
  const service = await harness.service();
  const stream = await harness.watch(service);
  await eventually(() => expect(stream.rooms()).toEqual({ before: 1 }));
  server.respond({ kind: 'hang' });
  const { eventsUrl } = await query(service);
  expect((await post(eventsUrl, { room: 'r', add: 1 })).status).toBe(204);
  const state = async () => JSON.parse((await ask(`${service.url}/api/state`)).text);
  await eventually(async () => expect(await state()).toMatchObject({ reason: 'snapshot_due' }));
  expect(stream.rooms()).toEqual({ before: 1 });
  server.rooms.set('r', 1);
  server.respond({ kind: 'normal' });
  server.release();
  await eventually(() => expect(stream.rooms()).toEqual({ before: 1, r: 1 }));
  await eventually(async () => expect(await state()).toMatchObject({ complete: true }));
});

test('servers that cannot be told apart all get requests for snapshots, and deltas to the URL are not counted', async () => {
  const servers = [await harness.server(), await harness.server()];
  const service = await harness.service();
  const stream = await harness.watch(service);
  const { active, eventsUrl } = await query(service);
  expect(active).toBe(true);
  // At once: soon after this nothing under a URL of before would count.
  expect((await post(eventsUrl, { room: 'whose', add: 1 })).status).toBe(204);
  for (const server of servers)
    await eventually(() => expect(puts(server)).toEqual([false, true, true]));
  await servers[0]?.open('r');
  await eventually(() => expect(stream.rooms()).toEqual({ r: 1 }));
  expect(stream.messages.filter(({ data }) => data.includes('whose'))).toEqual([]);
});

test('a delta to a URL that is not counted makes the service request snapshots from the servers there', async () => {
  const servers = [await harness.server(), await harness.server()];
  const service = await harness.service();
  const { eventsUrl } = await query(service);
  const stream = await harness.watch(service);
  for (const server of servers) server.rooms.set('r', 1);
  await post(eventsUrl, { room: 'r', add: 1 });
  await eventually(() => expect(stream.rooms()).toEqual({ r: 2 }));
  for (const server of servers) expect(puts(server)).toEqual([false, true, true]);
});

test('a server outside PUBSUB_NETWORKS is told to be silent, without a token, and gets no request', async () => {
  const server = await harness.server();
  const service = await harness.service({
    PUBSUB_SERVERS: '',
    PUBSUB_NETWORKS: '10.0.0.0/8',
    PUBSUB_PORT: `${server.port}`,
  });
  await harness.watch(service);
  const silent = { active: false, eventsUrl: `${service.url}/api/events` };
  expect(await query(service)).toEqual(silent);
  expect(await query(service, `?port=${server.port}`)).toEqual(silent);
  expect(await query(service, '', { 'X-Forwarded-For': '10.0.0.3' })).toEqual(silent);
  await turns(5);
  expect([...rosterOf(service)]).toEqual([]);
  expect(server.requests).toEqual([]);
});

test('a query through a proxy outside PUBSUB_NETWORKS is told to be silent, and causes no request', async () => {
  const server = await harness.server({ host: '127.0.0.2' });
  const service = await harness.service({ PUBSUB_NETWORKS: '127.0.0.2' });
  await harness.watch(service);
  const answer = await query(service, '', { Via: '1.1 proxy' });
  expect(answer).toEqual({ active: false, eventsUrl: `${service.url}/api/events` });
  await turns(5);
  expect(puts(server)).toEqual([false, true]);
});

test.each(['X-Forwarded-For', 'Forwarded', 'Via'])(
  'askers behind a proxy (%s) have all servers asked for snapshots, at a bounded rate',
  async (header) => {
    const servers = [await harness.server(), await harness.server()];
    const service = await harness.service();
    await harness.watch(service);
    const began = performance.now();
    for (let i = 0; i < 20; i += 1) {
      const answer = await query(service, '?port=1', { [header]: '10.0.0.3' });
      expect(answer).toMatchObject({ active: true });
    }
    for (const server of servers)
      await eventually(() => expect(puts(server).length).toBeGreaterThan(2));
    const allowed = 1 + Math.ceil((performance.now() - began) / 2000);
    for (const server of servers) expect(puts(server).length - 2).toBeLessThanOrEqual(allowed);
    expect(rosterOf(service).candidates).toBe(0);
  },
);

test('without a viewer, queries through a proxy cause no request', async () => {
  const server = await harness.server();
  const service = await harness.service();
  expect(await query(service, '', { Via: '1.1 proxy' })).toMatchObject({ active: false });
  await turns(5);
  await harness.watch(service);
  expect(puts(server)).toEqual([false, true]);
});
