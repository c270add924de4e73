import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { RoomSummary } from '../../../server/rooms/lookup/roomList.js';
import { type StoredConnection, StoreError } from '../../../server/store/store.js';
import type { ObservationsReport } from '../../../server/wire/observationsReport.js';
import { eventually } from '../../support/eventually.js';
import { calm, get, sharedStore, startRest } from '../../support/restApi.js';
import { startTestService } from '../../support/service.js';
import { owns, post, startDouble, untilShown, untilState, watchMaps } from '../../support/stage.js';

const { tables } = sharedStore();
const latest = '/api/connections/latest';
const since = '/api/connections/since_yesterday/0';
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

type Url = { url: string };
const connectionsOf = async (service: Url, path = latest) =>
  (await get(service, path)).json<StoredConnection[]>();
const report = async (service: Url) =>
  (await get(service, '/api/observations')).json<ObservationsReport>();
const roomOf = async (service: Url, id: string) =>
  (await get(service, '/api/rooms')).json<RoomSummary[]>().find((room) => room.id === id);

test('observed connections are listed if nobody writes to the store', async () => {
  const own = await tables();
  const double = await startDouble();
  double.rooms.set('there before', 1);
  const service = await startRest(own, { servers: [double] });
  expect(await connectionsOf(service)).toEqual([]);
  const viewer = await watchMaps(service);
  await untilShown(viewer, { 'there before': 1 });
  for (const room of ['a', 'b', 'a']) await double.open(room);
  await double.close('b');
  await untilShown(viewer, { 'there before': 1, a: 2 });

  const row = (roomName: string) => ({
    id: expect.any(String),
    roomName,
    timestamp: time,
    observed: true,
  });
  expect(await connectionsOf(service)).toEqual([row('a'), row('b')]);
  const all = await connectionsOf(service, since);
  expect(all).toEqual([row('a'), row('b'), row('a')]);
  expect(new Set(all.map(({ id }) => id)).size).toBe(3);
  expect((await report(service)).connections).toEqual({ kept: 3, leftOut: 0 });
  expect(own.traffic.commands.filter((name) => /Put|Write|Update/.test(name))).toEqual([]);
});

test('observed connections are not listed if the store has connections', async () => {
  const own = await tables();
  const stored = { id: 'c1', roomName: 'stored', timestamp: new Date().toISOString() };
  await own.store.connections.put(stored);
  const double = await startDouble();
  const service = await startRest(own, { servers: [double] });
  const viewer = await watchMaps(service);
  await untilState(service, 'watched');
  await double.open('seen');
  await untilShown(viewer, { seen: 1 });
  expect(await connectionsOf(service)).toEqual([stored]);
});

test('a room without dates in the store gets observed dates, marked as such', async () => {
  const own = await tables();
  const createdAt = '2025-01-02T03:04:05.000Z';
  await own.putRoom('dated', { createdAt: { S: createdAt } });
  await own.putRoom('dateless');
  const double = await startDouble();
  double.rooms.set('dated', 1).set('dateless', 1);
  const service = await startRest(own, { servers: [double] });
  const unseen = { createdAt: null, updatedAt: null, observed: false };
  expect(await roomOf(service, 'dateless')).toMatchObject(unseen);
  const viewer = await watchMaps(service);
  await untilShown(viewer, { dated: 1, dateless: 1 });
  const seen = { createdAt: time, updatedAt: time, observed: true };
  await eventually(async () => expect(await roomOf(service, 'dateless')).toMatchObject(seen));
  expect(await roomOf(service, 'dated')).toMatchObject({ createdAt, observed: false });
  const room = await get(service, '/api/room?room=dateless', { Accept: 'application/json' });
  expect(room.json()).toMatchObject(seen);
  await viewer.close();
  await untilState(service, 'inactive');
  expect(await roomOf(service, 'dateless')).toMatchObject({ ...seen, connections: null });
});

test('times without a viewer are reported as gaps', async () => {
  const double = await startDouble();
  const service = await startRest(await tables(), { servers: [double] });
  const none = await report(service);
  expect(none).toMatchObject({ observing: false, saved: null });
  expect(none.gaps).toEqual([{ from: none.since, to: null, reason: 'unwatched' }]);
  const viewer = await watchMaps(service);
  await eventually(async () => {
    const { observing, gaps } = await report(service);
    expect([observing, gaps.at(-1)?.to]).toEqual([true, time]);
  });
  await viewer.close();
  await eventually(async () => {
    const { observing, gaps } = await report(service);
    expect([observing, gaps.length >= 2, gaps.at(-1)]).toEqual([
      false,
      true,
      { from: time, to: null, reason: 'unwatched' },
    ]);
  });
});

test('some connections of a flood are kept, and the others are counted', async () => {
  const double = await startDouble();
  const service = await startRest(await tables(), { servers: [double] });
  await watchMaps(service);
  await untilState(service, 'watched');
  const deltas = Array.from({ length: 5000 }, (_, i) => ({ room: `r${i}`, add: 1 }));
  expect((await post(double.eventsUrl ?? '', JSON.stringify(deltas))).status).toBe(204);
  const { kept, leftOut } = (await report(service)).connections;
  expect(kept + leftOut).toBe(5000);
  expect(kept).toBeGreaterThan(0);
  expect(leftOut).toBeGreaterThan(4000);
});

test('observations survive a restart with DATA_DIR', async () => {
  const dataDir = owns(await mkdtemp(join(tmpdir(), 'observed-')), (it) =>
    rm(it, { recursive: true, force: true }),
  );
  const double = await startDouble();
  const env = { ...calm, PUBSUB_SERVERS: double.id, DATA_DIR: dataDir };
  const room = `r${randomUUID()}`;
  const start = () => startTestService(env);
  const first = owns(await start(), (it) => it.stop());
  const loaded = (service: Url) =>
    eventually(async () => expect((await get(service, latest)).status).toBe(200));
  await loaded(first);
  const viewer = await watchMaps(first);
  await untilState(first, 'watched');
  await double.open(room);
  await untilShown(viewer, { [room]: 1 });
  const before = await connectionsOf(first);
  expect(before).toMatchObject([{ roomName: room, observed: true }]);
  await viewer.close();
  await eventually(async () => expect((await report(first)).saved?.at).toEqual(time));
  await first.stop();

  const again = owns(await start(), (it) => it.stop());
  await loaded(again);
  await eventually(async () => expect(await connectionsOf(again)).toEqual(before));
  expect((await report(again)).rooms.kept).toBe(1);
});

test('a store that fails only prevents saving', async () => {
  const own = await tables();
  const observations = {
    load: async () => [],
    save: () => Promise.reject(new StoreError('no')),
  };
  const double = await startDouble();
  const service = await startRest(
    { store: { ...own.store, observations } },
    { servers: [double], env: { DATA_DIR: '/nowhere' } },
  );
  const viewer = await watchMaps(service);
  await untilState(service, 'watched');
  await double.open('r');
  await untilShown(viewer, { r: 1 });
  await viewer.close();
  await eventually(async () => {
    const { saved, connections } = await report(service);
    expect(saved?.at).toBeNull();
    expect(saved?.failures).toBeGreaterThan(0);
    expect(connections.kept).toBe(1);
  });
});
