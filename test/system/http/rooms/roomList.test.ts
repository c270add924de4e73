import { describe, expect, test } from '@jest/globals';
import type { RoomSummary } from '../../../../server/rooms/lookup/roomList.js';
import { eventually } from '../../../support/eventually.js';
import { connectTo, editIn, startReal } from '../../../support/fleet.js';
import { allPages, get, nextOf, sharedStore, startRest } from '../../../support/restApi.js';
import { startDouble, untilShown, watchMaps } from '../../../support/stage.js';

const { tables } = sharedStore();
const idsOf = (pages: RoomSummary[][]) => pages.flat().map(({ id }) => id);
const names = (count: number, stem = 'room') =>
  Array.from({ length: count }, (_, i) => `${stem}-${i}`);
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

test('a room is listed in the format of the old service, with its connections and servers', async () => {
  const own = await tables();
  const server = await startReal({ store: own.writer, forgetAfterMs: 0 });
  const service = await startRest(own, { servers: [server] });
  const viewer = await watchMaps(service);
  await own.putRoom('idle', { bytes: { N: '512' }, createdAt: { S: '2025-01-02T03:04:05.000Z' } });
  const editor = await editIn(server, 'a%20b');
  await connectTo(server, 'a%20b');
  await untilShown(viewer, { 'a%20b': 2 });
  const idle = {
    id: 'idle',
    name: 'idle',
    createdAt: '2025-01-02T03:04:05.000Z',
    updatedAt: null,
    observed: false,
    bytes: 512,
    active: false,
    connections: 0,
    complete: true,
    servers: 0,
  };
  const live = {
    id: 'a%20b',
    name: 'a%20b',
    createdAt: time,
    updatedAt: time,
    observed: false,
    bytes: null,
  };
  await eventually(async () => {
    const answer = await get(service, '/api/rooms');
    const rooms = answer.json<RoomSummary[]>();
    expect(rooms).toHaveLength(2);
    expect(rooms).toContainEqual(idle);
    expect(rooms).toContainEqual({
      ...live,
      active: true,
      connections: 2,
      complete: true,
      servers: 1,
    });
    expect(answer.headers).toMatchObject({ age: '0', 'content-type': /json/ });
    expect(answer.headers).not.toHaveProperty('x-stale');
    expect(answer.headers).not.toHaveProperty('link');
  });
  await editor.leave();
});

describe('paging', () => {
  test('visits every room exactly once, and ends without a link', async () => {
    const own = await tables();
    const all = names(1203);
    await own.putRooms(all);
    const service = await startRest(own);
    const pages = await allPages<RoomSummary>(service, '/api/rooms');
    expect(pages.map(({ length }) => length)).toEqual([1000, 203]);
    expect(idsOf(pages).sort()).toEqual(all.toSorted());
    const few = await allPages<RoomSummary>(service, '/api/rooms?limit=100');
    expect(idsOf(few)).toEqual(idsOf(pages));
  });

  test('by prefix and of active rooms visits only those', async () => {
    const own = await tables();
    await own.putRooms([...names(150, 'x'), ...names(30, 'y%20')]);
    const addresses = { SS: ['10.0.0.3', '10.0.0.4'] };
    for (const id of ['x-1', 'y%20-1', 'y%20-2']) await own.putRoom(id, { remoteDocs: addresses });
    const service = await startRest(own);
    const prefix = encodeURIComponent('y%20');
    const some = await allPages<RoomSummary>(service, `/api/rooms?limit=7&prefix=${prefix}`);
    expect(idsOf(some).sort()).toEqual(names(30, 'y%20').sort());
    const active = await allPages<RoomSummary>(service, '/api/rooms?limit=20&active=true');
    expect(idsOf(active).sort()).toEqual(['x-1', 'y%20-1', 'y%20-2']);
    expect(active.flat()[0]).toMatchObject({ active: true, servers: 2, connections: null });
    const both = await allPages<RoomSummary>(service, `/api/rooms?active=true&prefix=${prefix}`);
    expect(idsOf(both).sort()).toEqual(['y%20-1', 'y%20-2']);
    expect(idsOf(await allPages(service, '/api/rooms?prefix=none'))).toEqual([]);
  });

  test('by connections uses the live counts, and does not ask the store', async () => {
    const own = await tables();
    await own.putRooms(['r1', 'stored']);
    const double = await startDouble();
    for (let i = 0; i < 95; i += 1) double.rooms.set(`r${i}`, (i % 10) + 1);
    double.rooms.set('__proto', 90).set('😀', 80);
    const service = await startRest(own, { servers: [double] });
    const viewer = await watchMaps(service);
    await untilShown(viewer, Object.fromEntries(double.rooms));
    own.traffic.commands.length = 0;
    const pages = await allPages<RoomSummary>(service, '/api/rooms?sort=connections&limit=9');
    const byCount = [...double.rooms].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    expect(pages.flat().map(({ id, connections }) => [id, connections])).toEqual(byCount);
    expect(pages[0]?.[0]).toMatchObject({ id: '__proto', active: true, servers: 1, bytes: null });
    expect(own.traffic.commands.filter((name) => name !== 'ScanCommand')).toEqual([]);
    expect(own.traffic.itemsRead).toBe(0);
    const some = await allPages<RoomSummary>(service, '/api/rooms?sort=connections&prefix=r1');
    expect(idsOf(some)[0]).toBe('r19');
    expect(idsOf(some)).toHaveLength(11);
  });

  test('by connections shows an unchanged room once while others come and go', async () => {
    const double = await startDouble();
    for (let i = 10; i < 50; i += 1) double.rooms.set(`r${i}`, i);
    const service = await startRest(await tables(), { servers: [double] });
    const viewer = await watchMaps(service);
    await untilShown(viewer, Object.fromEntries(double.rooms));
    const path = '/api/rooms?sort=connections&limit=10';
    const first = await get(service, path);
    for (let i = 0; i < 49; i += 1) void double.close('r49');
    await double.open('r10');
    await eventually(() => expect(viewer.rooms()).toMatchObject({ r10: 11 }));
    await eventually(() => expect(viewer.rooms()).not.toHaveProperty('r49'));
    const rest = await allPages<RoomSummary>(service, nextOf(first, path) ?? 'no next');
    expect(idsOf(rest).slice(0, 10)).toEqual(names(10, 'r').map((_, i) => `r${39 - i}`));
  });
});

describe('rooms that are live but not in the store', () => {
  // Names that DynamoDB does not take, and one too long for a cursor.
  const unstorable = [
    '',
    'x'.repeat(2049),
    'x'.repeat(14_000),
    `${'x'.repeat(13_999)}y`,
    'é'.repeat(1025),
  ];

  test('are listed last if the store cannot hold them', async () => {
    const own = await tables();
    await own.putRooms(['a', 'b']);
    const double = await startDouble();
    for (const room of [...unstorable, 'a', '__proto', 'not in the store'])
      double.rooms.set(room, 2);
    const service = await startRest(own, { servers: [double] });
    const viewer = await watchMaps(service);
    await untilShown(viewer, Object.fromEntries(double.rooms));
    for (const limit of [1, 2, 1000]) {
      const pages = await allPages<RoomSummary>(service, `/api/rooms?limit=${limit}`);
      const rooms = pages.flat();
      expect(
        rooms
          .slice(0, 2)
          .map(({ id }) => id)
          .sort(),
      ).toEqual(['a', 'b']);
      expect(idsOf(pages).slice(2).sort()).toEqual(unstorable.toSorted());
      expect(rooms[2]).toMatchObject({ active: true, connections: 2, servers: 1 });
      // No date is stored. After a second, there is one that this service observed.
      expect(rooms[2]?.observed).toBe(rooms[2]?.createdAt !== null);
    }
    const long = await allPages<RoomSummary>(service, '/api/rooms?prefix=xx&limit=1');
    expect(idsOf(long).sort()).toEqual(unstorable.filter((name) => name.startsWith('xx')).sort());
    const pages = await allPages<RoomSummary>(service, '/api/rooms?sort=connections&limit=1');
    expect(idsOf(pages).sort()).toEqual([...double.rooms.keys()].sort());
  });

  test('are all listed once if nobody writes to the store', async () => {
    const own = await tables();
    await own.putRooms(['a', 'b', 'idle']);
    const double = await startDouble();
    const live = ['', 'a', 'b', ...names(270)];
    for (const room of live) double.rooms.set(room, 1);
    const service = await startRest(own, { servers: [double], env: {} });
    const viewer = await watchMaps(service);
    await untilShown(viewer, Object.fromEntries(double.rooms));
    for (const limit of [100, 1000]) {
      const pages = await allPages<RoomSummary>(service, `/api/rooms?limit=${limit}`);
      expect(idsOf(pages).sort()).toEqual([...live, 'idle'].sort());
    }
  });
});

describe('a bad', () => {
  const bad = [
    ['limit', ['0', '1001', '-1', '1.5', 'ten', '', '1e2', '99999999999999999999']],
    ['sort', ['size', '', 'Connections']],
    ['active', ['yes', '1', '']],
    [
      'cursor',
      [
        '',
        'x',
        'stored.',
        'stored.!',
        'busiest',
        'busiest.MQ',
        `stored.${'A'.repeat(40)}`,
        '__proto__',
      ],
    ],
  ] as const;
  test.each(bad)('%s is refused', async (parameter, values) => {
    const service = await startRest(await tables());
    for (const value of values) {
      const { status, code } = await get(service, `/api/rooms?${parameter}=${value}`);
      expect([value, status, code]).toEqual([value, 400, 'invalid_parameter']);
    }
    const twice = await get(service, `/api/rooms?${parameter}=1&${parameter}=2`);
    expect(twice).toMatchObject({ status: 400, code: 'invalid_parameter' });
  });

  test('cursor may come from the list in another order', async () => {
    const own = await tables();
    await own.putRooms(names(5));
    const double = await startDouble();
    for (const room of names(5, 'live')) double.rooms.set(room, 1);
    const service = await startRest(own, { servers: [double] });
    await untilShown(await watchMaps(service), Object.fromEntries(double.rooms));
    for (const [from, to] of [
      ['/api/rooms?limit=2', '&sort=connections'],
      ['/api/rooms?limit=2&sort=connections', '&sort=name'],
    ] as const) {
      const next = nextOf(await get(service, from), from) ?? 'no next';
      expect(await get(service, next)).toMatchObject({ status: 200 });
      const moved = `${next.replace(/&sort=\w+/, '')}${to}`;
      expect(await get(service, moved)).toMatchObject({ status: 400, code: 'invalid_parameter' });
    }
  });
});
