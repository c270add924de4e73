import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from '@jest/globals';
import { Hub } from '../../../server/page/stream/hub.js';
import type { Port, StreamStatus, ToHub, ToTab } from '../../../server/page/stream/messages.js';
import { eventually } from '../../support/eventually.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A service with streams that lists its connections. */
async function startStreams({ isRefusing = false } = {}) {
  const open = new Map<ServerResponse, string>();
  const control = { isRefusing, url: '', opened: 0 };
  const server = createServer((request, response) => {
    if (control.isRefusing) {
      response.writeHead(401).end('{"error":{"code":"unauthorized","message":"no token"}}');
      return;
    }
    control.opened += 1;
    open.set(response, request.url ?? '');
    response.on('close', () => open.delete(response));
    response
      .writeHead(200, { 'Content-Type': 'text/event-stream' })
      .write('event: snapshot\nid: 1\ndata: {"state":"active","rooms":{}}\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  control.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/below/`;
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const send = (data: object, event = 'changes') => {
    for (const response of open.keys())
      response.write(`event: ${event}\nid: 2\ndata: ${JSON.stringify(data)}\n\n`);
  };
  return { control, send, paths: () => [...open.values()].sort() };
}

/** A tab of a hub. It answers pings unless it is frozen. */
function openTab(hub: Hub, base: string, { hasAccess = true, isMultiplexed = false } = {}) {
  const { port1, port2 } = new MessageChannel();
  const heard: ToTab[] = [];
  const port = port2 as unknown as Port<ToHub, ToTab>;
  const tab = { isFrozen: false };
  hub.connect(port1 as unknown as Port<ToTab, ToHub>);
  const hello = () => port.postMessage({ type: 'hello', base, isMultiplexed, hasAccess });
  port.onmessage = ({ data }) => {
    heard.push(data);
    if (data.type === 'ping' && !tab.isFrozen) port.postMessage({ type: 'pong' });
    if (data.type === 'unknownTab') hello();
  };
  hello();
  ends.push(() => {
    port.postMessage({ type: 'bye' });
    port.close();
  });
  const statusOf = (stream: number): StreamStatus['kind'] | undefined =>
    heard.findLast((it) => it.type === 'status' && it.stream === stream)?.type === 'status'
      ? (
          heard.findLast((it) => it.type === 'status' && it.stream === stream) as {
            status: StreamStatus;
          }
        ).status.kind
      : undefined;
  const fleetStatus = () => {
    const last = heard.findLast((it) => it.type === 'fleetStatus');
    return last?.type === 'fleetStatus' ? last.status.kind : undefined;
  };
  const update = () => heard.flatMap((it) => (it.type === 'update' ? [it.update] : []));
  return { tab, port, heard, update, statusOf, fleetStatus };
}

const startHub = (pingMs = 60_000) => new Hub({ pingMs, firstRetryMs: 10, maxRetryMs: 20 });

test('all tabs share one stream, and a late tab gets the current state', async () => {
  const { control, send, paths } = await startStreams();
  const hub = startHub();
  const first = openTab(hub, control.url);
  await eventually(() => expect(first.update()).toHaveLength(1));
  send({ rooms: { a: 3, ['__proto__']: 1, b: 5 } });
  send(JSON.parse('{"rooms":{"__proto__":2,"b":0,"c":3}}'));
  await eventually(() => expect(first.update()).toHaveLength(3));
  const late = openTab(hub, control.url);
  await eventually(() => expect(late.update()).toHaveLength(1));
  expect(late.update()[0]).toMatchObject({
    kind: 'snapshot',
    state: 'active',
    rooms: { names: ['a', 'c', '__proto__'], counts: [3, 3, 2] },
  });
  expect(paths()).toEqual(['/below/api/events?stream=changes']);
});

test('the status of an instance in a cluster reaches all tabs, with the age of its numbers', async () => {
  const { control, send } = await startStreams();
  const hub = startHub();
  const first = openTab(hub, control.url);
  await eventually(() => expect(first.update()).toMatchObject([{ kind: 'snapshot', ageMs: null }]));
  const lost = { state: 'active', complete: false, reason: 'leader_lost' };
  send({ ...lost, term: 7, ageMs: 2000 }, 'status');
  const update = { kind: 'changes', ...lost, ageMs: 2000 };
  await eventually(() => expect(first.update().at(-1)).toEqual(update));
  const late = openTab(hub, control.url);
  await eventually(() => expect(late.update()).toMatchObject([{ ...lost, kind: 'snapshot' }]));
  expect(late.update()[0]?.ageMs).toBeGreaterThanOrEqual(2000);
  expect(late.update()[0]?.ageMs).toBeLessThan(60_000);
  send({ rooms: { a: 2 } });
  await eventually(() => expect(first.update().at(-1)).toMatchObject({ rooms: { counts: [2] } }));
  expect(first.update().at(-1)?.ageMs).toBeUndefined();
  send({ state: 'active', complete: true, reason: null, term: 8 }, 'status');
  const current = { kind: 'changes', state: 'active', complete: true, reason: null, ageMs: null };
  await eventually(() => expect(first.update().at(-1)).toEqual(current));
});

test('what happens reaches all tabs as it comes', async () => {
  const { control, send } = await startStreams();
  const hub = startHub();
  const tabs = [openTab(hub, control.url), openTab(hub, control.url)];
  for (const { update } of tabs) await eventually(() => expect(update()).toHaveLength(1));
  const events = [{ id: '1-a', kind: 'server.gone' }];
  send({ events }, 'activity');
  for (const { heard } of tabs)
    await eventually(() => expect(heard).toContainEqual({ type: 'activity', events }));
  for (const { update } of tabs) expect(update()).toHaveLength(1);
});

test('the stream closes with the last tab and opens again with the next', async () => {
  const { control, paths } = await startStreams();
  const hub = startHub();
  const tabs = [openTab(hub, control.url), openTab(hub, control.url)];
  await eventually(() => expect(paths()).toHaveLength(1));
  tabs[0]?.port.postMessage({ type: 'bye' });
  tabs[1]?.port.postMessage({ type: 'bye' });
  await eventually(() => expect(paths()).toHaveLength(0));
  openTab(hub, control.url);
  await eventually(() => expect(paths()).toHaveLength(1));
  expect(control.opened).toBe(2);
});

test('a tab that answers no pings is removed, and rejoins when it wakes up', async () => {
  const { control, paths } = await startStreams();
  const hub = startHub(10);
  const { tab, port, fleetStatus } = openTab(hub, control.url);
  await eventually(() => expect(fleetStatus()).toBe('live'));
  tab.isFrozen = true;
  await eventually(() => expect(paths()).toHaveLength(0));
  tab.isFrozen = false;
  port.postMessage({ type: 'pong' });
  await eventually(() => expect(paths()).toHaveLength(1));
});

test('at most four room streams are open at once, and the others wait', async () => {
  const { control, paths } = await startStreams();
  const hub = startHub();
  const one = openTab(hub, control.url);
  const other = openTab(hub, control.url);
  for (let stream = 1; stream <= 3; stream += 1) {
    one.port.postMessage({ type: 'open', stream, url: `${control.url}one-${stream}` });
    other.port.postMessage({ type: 'open', stream, url: `${control.url}other-${stream}` });
  }
  await eventually(() => expect(paths()).toHaveLength(5));
  await eventually(() =>
    expect([1, 2, 3].flatMap((id) => [one.statusOf(id), other.statusOf(id)]).sort()).toEqual([
      'live',
      'live',
      'live',
      'live',
      'waiting',
      'waiting',
    ]),
  );
  one.port.postMessage({ type: 'close', stream: 1 });
  one.port.postMessage({ type: 'bye' });
  await eventually(() => expect(other.statusOf(3)).toBe('live'));
  expect(paths().filter((path) => path.includes('other'))).toHaveLength(3);
});

test('with a multiplexed connection no room stream waits', async () => {
  const { control, paths } = await startStreams();
  const { port } = openTab(startHub(), control.url, { isMultiplexed: true });
  for (let stream = 1; stream <= 8; stream += 1)
    port.postMessage({ type: 'open', stream, url: `${control.url}${stream}` });
  await eventually(() => expect(paths()).toHaveLength(9));
});

test('signing out closes the streams of all tabs, and signing in opens them again', async () => {
  const { control, paths } = await startStreams();
  const hub = startHub();
  const one = openTab(hub, control.url);
  const other = openTab(hub, control.url);
  one.port.postMessage({ type: 'open', stream: 1, url: `${control.url}room` });
  await eventually(() => expect(paths()).toHaveLength(2));
  other.port.postMessage({ type: 'signedOut' });
  await eventually(() => expect(paths()).toHaveLength(0));
  await eventually(() => expect(one.fleetStatus()).toBe('signedOut'));
  expect([one.statusOf(1), other.fleetStatus()]).toEqual(['signedOut', 'signedOut']);
  other.port.postMessage({ type: 'signedIn' });
  await eventually(() => expect(paths()).toHaveLength(2));
  await eventually(() => expect([one.statusOf(1), one.fleetStatus()]).toEqual(['live', 'live']));
});

test('a stream refused without a session ends the streams of all tabs', async () => {
  const { control, paths } = await startStreams();
  const hub = startHub();
  const { port, fleetStatus } = openTab(hub, control.url);
  await eventually(() => expect(fleetStatus()).toBe('live'));
  control.isRefusing = true;
  port.postMessage({ type: 'open', stream: 1, url: `${control.url}room` });
  await eventually(() => expect(fleetStatus()).toBe('signedOut'));
  expect(paths()).toHaveLength(0);
});

test('a tab that is signed out opens nothing', async () => {
  const { control } = await startStreams();
  const hub = startHub();
  const { fleetStatus } = openTab(hub, control.url, { hasAccess: false });
  await eventually(() => expect(fleetStatus()).toBe('signedOut'));
  expect(control.opened).toBe(0);
  const later = openTab(hub, control.url);
  await eventually(() => expect([fleetStatus(), later.fleetStatus()]).toEqual(['live', 'live']));
});
