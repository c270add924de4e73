import { describe, expect, jest, test } from '@jest/globals';
import type { RoomSummary } from '../../../../server/rooms/lookup/roomList.js';
import { createClient } from '../../../../server/store/dynamodb/client.js';
import { roomsTable } from '../../../../server/store/dynamodb/roomsTable.js';
import { type Store, StoreError } from '../../../../server/store/store.js';
import { eventually } from '../../../support/eventually.js';
import { breakable, get, nextOf, sharedStore, startRest } from '../../../support/restApi.js';
import {
  owns,
  startDouble,
  stateOf,
  untilShown,
  untilState,
  watchMaps,
} from '../../../support/stage.js';

const { tables } = sharedStore();
const unavailable = { status: 503, code: 'store_unavailable' };
const asJson = { Accept: 'application/json' };

/** The service's clock is this much ahead until the test is over. */
function advance(ms: number): void {
  const now = performance.now.bind(performance);
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + ms);
  owns(clock, () => clock.mockRestore());
}

test('the list repeats its last answer, with its age and current live counts', async () => {
  const own = await tables();
  const broken = breakable(own.store);
  await own.putRooms(['a', 'b', 'c']);
  await own.putRoom('held', { remoteDocs: { SS: ['10.0.0.3'] } });
  const double = await startDouble();
  const service = await startRest(broken, { servers: [double] });
  const viewer = await watchMaps(service);
  await untilState(service, 'watched');
  const fresh = await get(service, '/api/rooms?limit=10');
  broken.break();
  await double.open('a');
  await untilShown(viewer, { a: 1 });
  advance(65_000);
  const stale = await get(service, '/api/rooms?limit=10');
  expect(stale.headers).toMatchObject({ 'x-stale': 'true' });
  expect(Number(stale.headers.age)).toBeGreaterThanOrEqual(65);
  const [before, now] = [fresh.json<RoomSummary[]>(), stale.json<RoomSummary[]>()];
  const time = expect.any(String);
  const seen = { createdAt: time, updatedAt: time, observed: true };
  expect(now).toEqual(
    before.map((room) =>
      room.id === 'a' ? { ...room, ...seen, active: true, connections: 1 } : room,
    ),
  );
  // The same items as before, of which other ones are active now.
  const active = await get(service, '/api/rooms?limit=10&active=true');
  expect(active.headers['x-stale']).toBe('true');
  expect(
    active
      .json<RoomSummary[]>()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['a', 'held']);
  broken.mend();
  const mended = await get(service, '/api/rooms?limit=10');
  expect(mended.headers).toMatchObject({ age: '0' });
  expect(mended.headers).not.toHaveProperty('x-stale');
});

test('a page that was never read gets 503 with Retry-After', async () => {
  const own = await tables();
  const broken = breakable(own.store);
  await own.putRooms(['a', 'b', 'c', 'd']);
  const service = await startRest(broken);
  const path = '/api/rooms?limit=2';
  const next = nextOf(await get(service, path), path) ?? 'no next';
  broken.break();
  for (const unread of [next, '/api/rooms', '/api/rooms?prefix=a']) {
    const answer = await get(service, unread);
    expect(answer).toMatchObject(unavailable);
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  }
  expect(await get(service, path)).toMatchObject({ status: 200 });
  expect(await get(service, `${path}&cursor=bad`)).toMatchObject({ status: 400 });
});

test('a room is answered from the last known metadata, with its age', async () => {
  const own = await tables();
  const broken = breakable(own.store);
  const double = await startDouble();
  await own.putRoom('r', { remoteDocs: { SS: [double.id] }, bytes: { N: '5' } });
  const service = await startRest(broken, { servers: [double] });
  double.rooms.set('r', 0);
  await get(service, '/api/rooms/r/servers');
  broken.break();
  advance(65_000);
  const answer = (await get(service, '/api/rooms/r', asJson)).json<Record<string, unknown>>();
  expect(answer).toMatchObject({ bytes: 5, storeStale: true, servers: [{ stored: true }] });
  expect(answer.storeAgeSeconds).toBeGreaterThanOrEqual(65);
});

/** Stores that nobody can use, and how long each lets a question wait. */
const unusable: [name: string, open: () => Promise<Store>][] = [
  ['cannot be opened', () => Promise.reject(new StoreError('as scripted'))],
  ['never opens', () => new Promise<Store>(() => {})],
  [
    'cannot be reached',
    async () => {
      const client = createClient({
        endpoint: 'http://127.0.0.1:9',
        region: 'local',
        credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      });
      const { store } = await tables();
      return { ...store, rooms: roomsTable(client, 'rooms') };
    },
  ],
];

describe.each(unusable)('while the store %s', (_name, openStore) => {
  test('rooms are answered from the live servers, and lists with 503', async () => {
    const [left, right] = [await startDouble(), await startDouble()];
    left.rooms.set('r', 2);
    right.rooms.set('r', 1).set('', 1);
    const own = await tables();
    const service = await startRest(own, { servers: [left, right], overrides: { openStore } });
    // Nobody waits for the store to be active.
    const viewer = await watchMaps(service);
    await untilShown(viewer, { r: 3, '': 1 });
    await eventually(async () =>
      expect(await stateOf(service)).toMatchObject({ state: 'active', complete: true }),
    );
    const asked = [
      get(service, '/api/rooms'),
      get(service, '/api/rooms/nowhere'),
      get(service, '/api/rooms?sort=connections'),
      get(service, '/api/rooms/r'),
      get(service, '/api/rooms/r/servers'),
    ];
    const [list, nowhere, busiest, state, servers] = await Promise.all(asked);
    expect(list).toMatchObject(unavailable);
    expect(list?.headers).toHaveProperty('retry-after');
    expect(nowhere).toMatchObject(unavailable);
    expect(busiest?.json()).toMatchObject([{ id: 'r', connections: 3, servers: 2 }, { id: '' }]);
    expect(state).toMatchObject({ status: 200 });
    const found = { stored: false, answer: 'holds', finding: null };
    expect(servers?.json()).toMatchObject({
      storeAgeSeconds: null,
      storeStale: true,
      servers: [
        { server: left.id, connections: 2, ...found },
        { server: right.id, connections: 1, ...found },
      ],
    });
    await left.open('r');
    await untilShown(viewer, { r: 4, '': 1 });
    expect(await get(service, '/health')).toMatchObject({ status: 200 });
    expect(service.activation.getSnapshot().status).toBe('active');
  });
});

test('the store is used as soon as it can be opened', async () => {
  const own = await tables();
  await own.putRooms(['a']);
  let isThere: (store: Store) => void = () => {};
  const opening = new Promise<Store>((resolve) => {
    isThere = resolve;
  });
  const service = await startRest(own, { overrides: { openStore: () => opening } });
  const early = get(service, '/api/rooms');
  isThere(own.store);
  expect((await early).json()).toMatchObject([{ id: 'a' }]);
});

test('an incomplete item is shown with the fields that it has', async () => {
  const own = await tables();
  await own.putRoom('bare');
  await own.putRoom('typed', {
    remoteDocs: { S: '10.0.0.3' },
    bytes: { S: 'many' },
    createdAt: { BOOL: true },
    updatedAt: { S: 'yesterday' },
  });
  await own.putRoom('numbers', {
    remoteDocs: { NS: ['1'] },
    bytes: { N: '-1' },
    createdAt: { N: '1e100' },
  });
  await own.putRoom('odd', { remoteDocs: { SS: ['', 'no address', '127.0.0.1:99999', '127.1'] } });
  const service = await startRest(own);
  const unknown = {
    createdAt: null,
    updatedAt: null,
    observed: false,
    bytes: null,
    connections: null,
    complete: false,
  };
  const listed = (await get(service, '/api/rooms')).json<RoomSummary[]>();
  for (const id of ['bare', 'typed', 'numbers'])
    expect(listed).toContainEqual({ id, name: id, ...unknown, active: false, servers: 0 });
  for (const id of ['bare', 'typed', 'numbers', 'odd']) {
    const answer = await get(service, `/api/rooms/${id}`, asJson);
    expect(answer.json()).toMatchObject({ id, ...unknown, servers: [], document: null });
    expect(await get(service, `/api/rooms/${id}`)).toMatchObject({ code: 'room_not_found' });
    expect(await get(service, `/api/rooms/${id}/servers`)).toMatchObject({ status: 200 });
  }
  await eventually(async () => expect((await get(service, '/ready')).status).toBe(200));
});
