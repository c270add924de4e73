import { expect, test } from '@jest/globals';
import { createActor, createMachine } from 'xstate';
import { charts } from '../../../server/inspection/charts.js';
import { definitionOf } from '../../../server/inspection/definition.js';
import { Machines } from '../../../server/inspection/machines.js';
import { activeStates } from '../../../server/inspection/stateValue.js';
import type { MachineSummary, MachineView } from '../../../server/wire/machines.js';
import { eventually } from '../../support/eventually.js';
import { toldUrl, useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();

type At = { url: string };
const json = async (url: string) => JSON.parse((await ask(url)).text);
const summariesOf = async ({ url }: At): Promise<MachineSummary[]> => json(`${url}/api/machines`);
const viewOf = async ({ url }: At, path: string): Promise<MachineView> =>
  json(`${url}/api/machines/${path}`);
const actorsOf = async (at: At, id: string) =>
  (await summariesOf(at)).find((machine) => machine.id === id)?.actors;

test('every machine is listed with its definition and the number of actors in each state', async () => {
  await harness.server();
  (await harness.server()).respond({ kind: 'status', status: 500, times: 2 });
  const service = await harness.service();
  const machines = await summariesOf(service);
  expect(machines.map(({ id }) => id)).toEqual(['instance', 'activation', 'pubSubServer', 'room']);
  expect(machines.map(({ definition }) => definition)).toEqual(charts.map(definitionOf));
  expect(machines.map(({ actors }) => actors)).toEqual([
    { total: 1, states: { alone: 1 } },
    { total: 1, states: { inactive: 1 } },
    {
      total: 2,
      states: {
        'request.resting': 2,
        'standing.silent': 2,
        // One of them failed to confirm at first.
        'confirmation.needed': 1,
        'confirmation.unneeded': 1,
        'resync.unplanned': 2,
        'posts.plausible': 2,
        'startup.idle': 2,
        'dips.none': 2,
        'evidence.none': 2,
      },
    },
    { total: 0, states: {} },
  ]);
  expect(machines[2]?.delays).toMatchObject({ removeAfterMs: 600_000, retryMs: null });

  await harness.watch(service);
  await harness.stream(service, { path: '/api/rooms/seen/events' });
  await eventually(async () => {
    expect(await actorsOf(service, 'activation')).toEqual({
      total: 1,
      states: { 'active.watched': 1 },
    });
    expect((await actorsOf(service, 'pubSubServer'))?.states['standing.engaged.heard.live']).toBe(
      2,
    );
    expect((await actorsOf(service, 'room'))?.total).toBe(1);
  });
});

test('a machine is shown with its current actors', async () => {
  const server = await harness.server();
  server.rooms.set('a', 2);
  const service = await harness.service();
  await harness.watch(service);
  await eventually(async () => {
    const { id, definition, delays, actors } = await viewOf(service, 'pubSubServer');
    expect({ id, definition, delays }).toEqual({
      id: 'pubSubServer',
      definition: definitionOf(charts[2] as (typeof charts)[number]),
      delays: expect.objectContaining({ startupGraceMs: 50 }),
    });
    expect(actors).toEqual([
      {
        id: `server:${server.id}`,
        status: 'active',
        value: {
          request: 'resting',
          standing: { engaged: { heard: 'live' } },
          confirmation: 'unneeded',
          resync: 'planned',
          posts: 'plausible',
          startup: 'idle',
          dips: 'none',
          evidence: 'none',
        },
        states: [
          'request.resting',
          'standing.engaged.heard.live',
          'confirmation.unneeded',
          'resync.planned',
          'posts.plausible',
          'startup.idle',
          'dips.none',
          'evidence.none',
        ],
        context: expect.objectContaining({
          failures: 0,
          isUpdatesWished: false,
          tally: { rooms: 1, connections: 2, epoch: expect.any(Number) },
        }),
      },
    ]);
  });
  const { actors } = await viewOf(service, 'activation');
  expect(actors).toMatchObject([
    {
      id: 'activation',
      value: { active: 'watched' },
      context: { viewers: 1, roster: { live: 1 } },
    },
  ]);
});

test('actors come in pages, by id, and can be searched for', async () => {
  const servers = await Promise.all(Array.from({ length: 5 }, () => harness.server()));
  const service = await harness.service();
  const ids = servers.map(({ id }) => `server:${id}`).sort();
  const pages: string[][] = [];
  let next: string | undefined = '';
  while (next !== undefined && pages.length < 10) {
    const query = next === '' ? '' : `&after=${encodeURIComponent(next)}`;
    const page: MachineView = await viewOf(service, `pubSubServer?limit=2${query}`);
    pages.push(page.actors.map(({ id }) => id));
    next = page.next;
  }
  expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);
  const [wanted = ''] = ids.slice(3);
  const found = await viewOf(service, `pubSubServer?search=${wanted.slice(-6)}`);
  expect(found.actors.map(({ id }) => id)).toEqual([wanted]);
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'after=a&after=b', 'search=a&search=b'])
    expect((await ask(`${service.url}/api/machines/pubSubServer?${query}`)).code).toBe(
      'invalid_parameter',
    );
});

test('an unknown machine is not found, and the answer names the known ones', async () => {
  const { url } = await harness.service();
  for (const id of ['none', '__proto__', 'constructor', '%', 'activation%00'])
    expect((await ask(`${url}/api/machines/${id}`)).code).toBe('not_found');
  const { text } = await ask(`${url}/api/machines/none`);
  expect(JSON.parse(text).error.message).toContain('activation, pubSubServer, room');
});

test('strangers get nothing, and viewers no secrets', async () => {
  const server = await harness.server();
  const service = await harness.service({ DASHBOARD_TOKEN: 'viewers-secret' });
  const headers = { Authorization: 'Bearer viewers-secret' };
  await harness.watch(service, { headers });
  const token = new URL(toldUrl(server)).searchParams.get('token') ?? '';
  expect(token.length).toBeGreaterThan(20);
  for (const path of ['', '/activation', '/pubSubServer', '/room']) {
    const url = `${service.url}/api/machines${path}`;
    expect((await ask(url)).code).toBe('unauthorized');
    const { status, text } = await ask(url, { headers });
    expect(status).toBe(200);
    for (const secret of [token, 'viewers-secret', 'token='])
      expect([path, text.includes(secret)]).toEqual([path, false]);
  }
});

test('a failed actor is shown as failed, beside the others', () => {
  const child = createMachine({
    on: {
      fail: {
        actions: () => {
          throw new Error('a defect');
        },
      },
    },
  });
  // Named as a chart of the service is, so that it is looked for.
  const room = createMachine({ ...child.config, id: 'room' });
  const root = createMachine({
    id: 'activation',
    invoke: ['a', 'b'].map((id) => ({ id, src: room })),
    on: { 'xstate.error.actor.*': {} },
  });
  const actor = createActor(root).start();
  (actor.getSnapshot().children as Record<string, { send(event: object): void }>).a?.send({
    type: 'fail',
  });
  expect(new Machines(actor).view('room', { limit: 10 })?.actors).toMatchObject([
    { id: 'a', status: 'error' },
    { id: 'b', status: 'active' },
  ]);
  actor.stop();
});

test('active states are paths, one for each region', () => {
  expect(activeStates('idle')).toEqual(['idle']);
  expect(activeStates({ a: 'x', b: { c: 'y', d: {} } })).toEqual(['a.x', 'b.c.y', 'b.d']);
});
