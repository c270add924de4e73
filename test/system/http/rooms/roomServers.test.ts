import { getMaxListeners } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { applyUpdate, Doc } from 'yjs';
import { toServerId } from '../../../../server/addresses.js';
import { RoomDirectory } from '../../../../server/rooms/lookup/roomDirectory.js';
import type { RoomServer } from '../../../../server/wire/roomServers.js';
import { eventually } from '../../../support/eventually.js';
import { connectTo, editIn, startReal } from '../../../support/fleet.js';
import { get, sharedStore, startRest } from '../../../support/restApi.js';
import {
  owns,
  patient,
  startDouble,
  untilShown,
  watch,
  watchMaps,
} from '../../../support/stage.js';

const { tables } = sharedStore();

interface ServersAnswer {
  id: string;
  servers: RoomServer[];
  notAsked: number;
  storeAgeSeconds: number | null;
  storeStale: boolean;
}

const serversOf = async (service: { url: string }, room: string) =>
  (await get(service, `/api/rooms/${room}/servers`)).json<ServersAnswer>();

const nothingOdd = { failure: null, finding: null, waitingFor: null };

test('the servers that hold a room are listed if all sources agree', async () => {
  const own = await tables();
  const servers = await Promise.all([1, 2].map(() => startReal({ store: own.writer })));
  const service = await startRest(own, { servers });
  const viewer = await watchMaps(service);
  for (const server of servers) await connectTo(server, 'a%20b');
  await untilShown(viewer, { 'a%20b': 2 });
  await eventually(async () => {
    const { servers: found, ...rest } = await serversOf(service, 'a%20b');
    expect(rest).toMatchObject({
      id: 'a%20b',
      askable: true,
      storable: true,
      notAsked: 0,
      storeAgeSeconds: 0,
      storeStale: false,
    });
    const both = servers.map(({ id }) => id).sort();
    const agreed = { stored: true, connections: 1, answer: 'holds', ...nothingOdd };
    expect(found.sort((a, b) => (a.server < b.server ? -1 : 1))).toEqual(
      both.map((server) => ({ server, ...agreed })),
    );
  });
});

test('the stored size and dates of a room are told, and null where the store has none', async () => {
  const own = await tables();
  const holder = await startDouble();
  holder.rooms.set('r', 1).set('live', 1);
  const service = await startRest(own, { servers: [holder] });
  await untilShown(await watchMaps(service), { r: 1, live: 1 });
  const createdAt = '2026-01-01T12:00:00.000Z';
  await own.putRoom('r', {
    remoteDocs: { SS: [holder.id] },
    bytes: { N: '1234' },
    createdAt: { S: createdAt },
  });
  const stored = { bytes: 1234, createdAt, updatedAt: null, observed: false };
  expect(await serversOf(service, 'r')).toMatchObject(stored);
  // The service saw its connection itself, at most 10 s ago or not yet.
  expect(await serversOf(service, 'live')).toMatchObject({ bytes: null });
});

test('differences between the store, the live counts and the servers are reported', async () => {
  const own = await tables();
  const [denying, unstored, empty, silent] = await Promise.all(
    [1, 2, 3, 4].map(() => startDouble()),
  );
  if (!denying || !unstored || !empty || !silent) throw new Error('four were started');
  unstored.rooms.set('r', 2);
  empty.rooms.set('r', 0);
  const service = await startRest(own, { servers: [denying, unstored, empty] });
  await untilShown(await watchMaps(service), { r: 2 });
  const dead = '127.0.0.1:9';
  const outside = '169.254.169.254';
  await own.putRoom('r', {
    remoteDocs: { SS: [denying.id, empty.id, dead, outside, 'no address!'] },
  });
  const { servers } = await serversOf(service, 'r');
  const byServer = new Map(servers.map(({ server, ...rest }) => [server, rest]));
  expect(byServer).toEqual(
    new Map<string, Omit<RoomServer, 'server'>>([
      [
        denying.id,
        {
          stored: true,
          connections: 0,
          answer: 'denies',
          failure: null,
          finding: 'denied',
          waitingFor: null,
        },
      ],
      [
        unstored.id,
        {
          stored: false,
          connections: 2,
          answer: 'holds',
          failure: null,
          finding: 'not_stored',
          waitingFor: null,
        },
      ],
      [
        empty.id,
        {
          stored: true,
          connections: 0,
          answer: 'holds',
          failure: null,
          finding: 'no_connection',
          waitingFor: null,
        },
      ],
      [
        dead,
        {
          stored: true,
          connections: null,
          answer: 'failed',
          failure: expect.stringContaining('ECONNREFUSED') as unknown as string,
          finding: 'dead_address',
          waitingFor: null,
        },
      ],
      [
        `${outside}:8001`,
        {
          stored: true,
          connections: null,
          answer: 'failed',
          failure: 'address not allowed',
          finding: 'dead_address',
          waitingFor: null,
        },
      ],
    ]),
  );
});

test('a server that holds the room is found by asking, even if no source names it', async () => {
  const own = await tables();
  const [known, unknown] = [await startDouble(), await startDouble()];
  known.rooms.set('r', 1);
  unknown.rooms.set('r', 0);
  const service = await startRest(own, { servers: [known, unknown] });
  await untilShown(await watchMaps(service), { r: 1 });
  await own.putRoom('r', { remoteDocs: { SS: [known.id] } });
  const { servers } = await serversOf(service, 'r');
  expect(servers).toEqual([
    { server: known.id, stored: true, connections: 1, answer: 'holds', ...nothingOdd },
    {
      server: unknown.id,
      stored: false,
      connections: 0,
      answer: 'holds',
      failure: null,
      finding: 'not_stored',
      waitingFor: null,
    },
  ]);
});

test('a missing connection is no finding while no server reports', async () => {
  const own = await tables();
  const double = await startDouble();
  double.rooms.set('r', 1);
  await own.putRoom('r', { remoteDocs: { SS: [double.id] } });
  const service = await startRest(own, { servers: [double] });
  const { servers } = await serversOf(service, 'r');
  const expected = { server: double.id, stored: true, connections: null, answer: 'holds' };
  expect(servers).toEqual([{ ...expected, ...nothingOdd }]);
});

test('servers that do not write to the store have no finding for it', async () => {
  const double = await startDouble();
  double.rooms.set('r', 1);
  const service = await startRest(await tables(), { servers: [double], env: {} });
  await untilShown(await watchMaps(service), { r: 1 });
  const { servers } = await serversOf(service, 'r');
  const expected = { server: double.id, stored: false, connections: 1, answer: 'holds' };
  expect(servers).toEqual([{ ...expected, ...nothingOdd }]);
});

test('addresses without a port match known servers, in any spelling', async () => {
  const own = await tables();
  const double = await startDouble();
  double.rooms.set('r', 0);
  await own.putRoom('r', { remoteDocs: { SS: ['::ffff:127.0.0.1', '127.0.0.9'] } });
  const service = await startRest(own, {
    servers: [double],
  });
  const { servers } = await serversOf(service, 'r');
  expect(servers.map(({ server, stored, finding }) => [server, stored, finding])).toEqual([
    [double.id, true, null],
    ['127.0.0.9:8001', true, 'dead_address'],
  ]);
});

test.each(['is killed', 'hangs'])(
  'when one of two servers %s, the other still answers in time',
  async (end) => {
    const own = await tables();
    const [left, right] = await Promise.all([1, 2].map(() => startReal({ store: own.writer })));
    if (!left || !right) throw new Error('two were started');
    const service = await startRest(own, {
      servers: [left, right],
      env: { DYNAMODB_TABLE: 'given', REQUEST_TIMEOUT_MS: '4000' },
    });
    const viewer = await watchMaps(service);
    const [editor] = [await editIn(left, 'held'), await editIn(right, 'held')];
    editor.type('kept');
    (await editIn(right, 'held')).type('kept');
    await untilShown(viewer, { held: 3 });
    await eventually(async () => {
      expect((await serversOf(service, 'held')).servers.every(({ stored }) => stored)).toBe(true);
    });

    if (end === 'is killed') await left.kill();
    else left.suspend();
    const began = performance.now();
    const answer = await get(service, '/api/rooms/held');
    const tookMs = performance.now() - began;
    expect(answer.status).toBe(200);
    // One request timeout, and not two.
    expect(tookMs).toBeLessThan(8000);
    const doc = new Doc();
    applyUpdate(doc, answer.body);
    expect(doc.getText('text').toString()).toContain('kept');
    const { servers } = await serversOf(service, 'held');
    const findings = servers.map(({ server, finding }) => [server, finding]);
    expect(findings).toContainEqual([left.id, 'dead_address']);
    expect(findings).toContainEqual([right.id, null]);
    left.resume();
  },
);

test('servers that hang delay neither each other nor those that answer', async () => {
  const own = await tables();
  const asked = new Map<string, Socket>();
  const hung = await Promise.all(
    [1, 2, 3].map(async () => {
      const server = createServer((socket) => asked.set(id, socket));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const id = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      owns(server, () => {
        for (const socket of asked.values()) socket.destroy();
        server.close();
      });
      return id;
    }),
  );
  const double = await startDouble();
  double.rooms.set('r', 1);
  await own.putRoom('r', { remoteDocs: { SS: [...hung, double.id] } });
  const service = await startRest(own, {
    servers: [double],
    env: { DYNAMODB_TABLE: 'given', ...patient },
  });
  const answer = get(service, '/api/rooms/r');
  // All of them are asked at once, and the answer comes when they have failed once.
  await eventually(() => expect([...asked.keys()].sort()).toEqual(hung.toSorted()));
  await eventually(() =>
    expect(double.requests.map(({ path }) => path)).toContain('/api/room?id=r'),
  );
  for (const socket of asked.values()) socket.destroy();
  expect(await answer).toMatchObject({ status: 200 });
});

test('many servers are asked at once, without a warning from Node.js', async () => {
  const asked: string[] = [];
  const roomState = async (server: string) => void asked.push(server);
  // Of its needs it uses none but this to ask.
  const directory = new RoomDirectory({ states: { roomState } } as never);
  const holders = Array.from({ length: 100 }, (_, i) => ({
    server: toServerId('10.0.0.1', 8001 + i),
    isStored: false,
    connections: 1,
    takesNames: true,
  }));
  const { signal } = new AbortController();
  await directory.ask('r', holders, signal);
  expect(asked).toHaveLength(64);
  // The runtime warns of more listeners than these.
  expect(getMaxListeners(signal)).toBeGreaterThanOrEqual(64);
});

test('servers that are not asked are counted, also in a 404', async () => {
  const doubles = await Promise.all(Array.from({ length: 66 }, () => startDouble()));
  doubles.at(0)?.rooms.set('first', 0);
  doubles.at(-1)?.rooms.set('last', 0);
  const service = await startRest(await tables(), { servers: doubles });
  await eventually(async () => {
    const { servers, notAsked } = await serversOf(service, 'first');
    expect([servers.length, notAsked]).toEqual([1, 2]);
  });
  for (const path of ['/api/room/servers?room=last', '/api/room?room=last']) {
    const answer = await fetch(`${service.url}${path}`);
    expect([answer.status, await answer.json()]).toMatchObject([
      404,
      { error: { code: 'room_not_found', message: expect.stringContaining('2 were not asked') } },
    ]);
  }
  const viewer = await watch(service, '/api/room/events?room=last');
  await eventually(() => {
    const status = viewer.messages.findLast(({ event }) => event === 'room');
    expect(JSON.parse(status?.data ?? '{}')).toMatchObject({ state: 'waiting', notAsked: 2 });
  });
});

test('an unknown room gets 404', async () => {
  const double = await startDouble();
  const service = await startRest(await tables(), { servers: [double] });
  expect(await get(service, '/api/rooms/none/servers')).toMatchObject({ code: 'room_not_found' });
  expect(await get(service, '/api/rooms//servers')).toMatchObject({ code: 'room_not_found' });
});
