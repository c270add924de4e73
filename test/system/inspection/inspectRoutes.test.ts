import { expect, test } from '@jest/globals';
import { createBrowserReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import type { Actor } from 'xstate';
import type { instanceMachine } from '../../../machines/instanceMachine.js';
import type { Service } from '../../../server/service.js';
import { openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import {
  activationsOf,
  noResync,
  startDouble,
  startStaged,
  stateOf,
  untilShown,
  visits,
  watch,
} from '../../support/stage.js';
import { untilAdmitted } from '../../support/untilAdmitted.js';
import { inspect } from './support.js';

const on = { INSPECT: 'true' };
/** What `createActor` was given to observe the machine with. */
const observerOf = ({ instance }: Service) =>
  (instance as Actor<typeof instanceMachine>).options.inspect;
const inspectPaths = ['/inspect', '/inspect/relay.js', '/inspect/events'];

test('a client that attaches late gets every actor with its state, and what follows', async () => {
  const doubles = [await startDouble(), await startDouble()];
  doubles[0]?.rooms.set('a', 1);
  const service = await startStaged(doubles, on);
  const client = await inspect(service);
  const silent = JSON.stringify({
    request: 'resting',
    standing: 'silent',
    confirmation: 'unneeded',
    resync: 'unplanned',
    posts: 'plausible',
    startup: 'idle',
    dips: 'none',
    evidence: 'none',
  });
  const servers = doubles.map(({ id }) => [`server:${id}`, silent]);
  await eventually(() =>
    expect(client.states()).toMatchObject({
      activation: '"inactive"',
      discovery: 'active',
      serverRequests: 'active',
      ...Object.fromEntries(servers),
    }),
  );
  const actors = client.told().filter(({ type }) => type === '@xstate.actor');
  // Instance, activation and discovery, and for each server its actor and the one that sends its requests.
  expect(actors).toHaveLength(3 + 2 * doubles.length);
  const before = client.told().length;

  await untilShown(await watch(service), { a: 1 });
  await eventually(() => {
    const { activation, ...others } = client.states();
    expect(activation).toBe('{"active":"watched"}');
    for (const { id } of doubles) expect(others[`server:${id}`]).toContain('"heard":"live"');
  });
  const since = client.told().slice(before);
  const root = actors.find((message) => 'name' in message && message.name === 'activation');
  expect(since).toContainEqual(
    expect.objectContaining({
      type: '@xstate.event',
      sessionId: root?.sessionId,
      event: { type: 'viewer.connected' },
    }),
  );
  expect(since).toContainEqual(
    expect.objectContaining({
      type: '@xstate.snapshot',
      sessionId: root?.sessionId,
      snapshot: expect.objectContaining({
        value: 'activating',
        context: expect.objectContaining({ viewers: 1, tally: expect.any(Object) }),
      }),
    }),
  );

  const later = await inspect(service);
  await eventually(() => expect(later.states()).toEqual(client.states()));
  const events = later.told().filter(({ type }) => type === '@xstate.event');
  expect(events).toContainEqual(expect.objectContaining({ event: { type: 'viewer.connected' } }));
});

test('the receiver of the Stately inspector accepts every message', async () => {
  const service = await startStaged([await startDouble()], on);
  const client = await inspect(service);
  await watch(service);
  await eventually(() => expect(client.states().activation).toBe('{"active":"watched"}'));
  const told = client.told();
  const frame = new EventTarget();
  const posted: unknown[] = [];
  const parent = { postMessage: (message: unknown) => posted.push(message) };
  const window = Object.assign(frame, { self: frame, top: parent, parent }) as never;
  const received: StatelyInspectionEvent[] = [];
  createBrowserReceiver({ window }).subscribe((message) => received.push(message));
  expect(posted).toEqual([{ type: '@statelyai.connected' }]);
  for (const data of told) frame.dispatchEvent(Object.assign(new Event('message'), { data }));
  expect(received).toEqual(told);
});

test('watched rooms appear and disappear', async () => {
  const service = await startStaged([await startDouble()], on);
  const client = await inspect(service);
  const viewer = await watch(service, '/api/rooms/seen/events');
  await eventually(() => expect(client.states()['room:seen']).toContain('standing'));
  await viewer.close();
  await eventually(() => {
    const stopped = client.told().filter((message) => {
      const { status } = ('snapshot' in message ? message.snapshot : {}) as { status?: string };
      return message.type === '@xstate.snapshot' && status === 'stopped';
    });
    // The room with its channel, its document and its sources.
    expect(stopped).toHaveLength(4);
  });
  const later = await inspect(service);
  await eventually(() => expect(later.states().activation).toBeDefined());
  expect(Object.keys(later.states()).filter((name) => name.startsWith('room'))).toEqual([]);
});

test('an open inspector does not make servers post', async () => {
  const double = await startDouble();
  const service = await startStaged([double], { ...on, ...noResync });
  const client = await inspect(service);
  await eventually(() => expect(client.states().activation).toBe('"inactive"'));
  const viewer = await watch(service);
  await eventually(() => expect(activationsOf(double)).toBe(1));
  await viewer.close();
  await eventually(() => expect(client.states().activation).toBe('"inactive"'));
  expect(await stateOf(service)).toMatchObject({ state: 'inactive', viewers: 0 });
  expect(activationsOf(double)).toBe(1);
});

test('opened connections are sent only to clients that ask for all events', async () => {
  const double = await startDouble();
  const service = await startStaged([double], on);
  const few = await inspect(service);
  const all = await inspect(service, { query: '?events=all' });
  const viewer = await watch(service);
  await eventually(() => expect(few.states().activation).toBe('{"active":"watched"}'));
  await double.open('r');
  await untilShown(viewer, { r: 1 });
  const deltas = (client: typeof few) =>
    client
      .told()
      .filter((message) => 'event' in message && message.event.type === 'deltas.received');
  await eventually(() => expect(deltas(all).map(({ type }) => type)).toContain('@xstate.snapshot'));
  expect(deltas(all)[0]).toMatchObject({
    event: {
      type: 'deltas.received',
      posts: [{ server: double.id, deltas: [{ room: 'r', add: 1 }] }],
    },
  });
  // Later events have been sent.
  await viewer.close();
  await eventually(() => expect(few.states().activation).toBe('"inactive"'));
  expect(deltas(few)).toEqual([]);
  expect((await ask(`${service.url}/inspect/events?events=some`)).code).toBe('invalid_parameter');
});

test('a stranger is refused, and a viewer gets no secrets', async () => {
  const double = await startDouble();
  double.rooms.set('a', 1);
  const service = await startStaged(
    [double],
    { ...on, DASHBOARD_TOKEN: 'secret-of-viewers' },
    {
      isHurried: true,
    },
  );
  for (const path of inspectPaths)
    expect((await ask(service.url + path)).code).toBe('unauthorized');
  const headers = { Authorization: 'Bearer secret-of-viewers' };
  const client = await inspect(service, { headers, query: '?events=all' });
  const viewer = await openEventStream(service.url, { headers });
  visits(viewer, (it) => it.close());
  await eventually(() => expect(viewer.rooms()).toEqual({ a: 1 }));
  await double.open('b');
  await eventually(() => expect(viewer.rooms()).toEqual({ a: 1, b: 1 }));
  await eventually(() => expect(JSON.stringify(client.told())).toContain('deltas.received'));
  const token = new URL(double.eventsUrl ?? '').searchParams.get('token') ?? '';
  expect(token.length).toBeGreaterThan(20);
  for (const secret of [token, 'secret-of-viewers', 'token='])
    expect(JSON.stringify(client.told())).not.toContain(secret);
});

test('inspectors over the limit are refused', async () => {
  const service = await startStaged([], on);
  const clients = [];
  for (let i = 0; i < 8; i += 1) clients.push(await inspect(service));
  const refused = await ask(`${service.url}/inspect/events`, { headers: { Accept: '*/*' } });
  expect(refused.text).toMatch(/^retry: \d{4,5}\n\n$/);
  await clients[0]?.close();
  await untilAdmitted(
    () => inspect(service),
    (again) => again.states().activation !== undefined,
  );
});

test('only this page may show stately.ai in a frame', async () => {
  const { url } = await startStaged([], on);
  const page = await ask(`${url}/inspect`);
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
  const policy = String(page.headers['content-security-policy']);
  expect(policy).toContain('frame-src https://stately.ai;');
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  expect(page.text).not.toMatch(/src="https?:/);
  const script = await ask(`${url}/inspect/relay.js`);
  expect(script.headers['content-type']).toMatch(/^(text|application)\/javascript/);
  for (const path of ['/', '/api/machines', '/api/state', '/health']) {
    const { headers } = await ask(url + path);
    expect(String(headers['content-security-policy'] ?? '')).not.toContain('stately.ai');
  }
  const slashed = await ask(`${url}/inspect/`);
  expect([slashed.status, slashed.text]).toEqual([404, expect.stringContaining('without a slash')]);
});

test('without INSPECT nothing observes the machine, and the answer says how to switch it on', async () => {
  const off = await startStaged([]);
  const withIt = await startStaged([], on);
  expect(observerOf(off)).toBeUndefined();
  expect(observerOf(withIt)).toEqual(expect.any(Function));
  for (const path of inspectPaths) {
    const { status, code, text } = await ask(off.url + path);
    expect([status, code]).toEqual([404, 'not_found']);
    expect(JSON.parse(text).error.message).toContain('INSPECT=true');
  }
});
