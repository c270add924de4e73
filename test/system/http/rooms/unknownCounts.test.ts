import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../../support/eventually.js';
import { get, sharedStore, startRest } from '../../../support/restApi.js';
import {
  type ServerRow,
  type StateView,
  startDouble,
  untilShown,
  watch,
  watchMaps,
} from '../../../support/stage.js';

const { tables } = sharedStore();
const asJson = { Accept: 'application/json' };

/** Every answer that has counts, as it is for the rooms `r` and `none`. */
async function answersOf(service: { url: string }) {
  const json = async <T>(path: string) => (await get(service, path, asJson)).json<T>();
  const list = await get(service, '/api/rooms');
  const rooms = list.json<{ id: string }[]>();
  return {
    state: await json<StateView>('/api/state'),
    servers: await json<ServerRow[]>('/api/servers'),
    counts: await json<object[]>('/api/counts?room=r&room=none'),
    isListComplete: list.headers['x-complete'],
    listed: rooms.find(({ id }) => id === 'r'),
    busiest: (await get(service, '/api/rooms?sort=connections')).headers['x-complete'],
    room: await json<object>('/api/rooms/r'),
    servedBy: (await json<{ servers: object[] }>('/api/rooms/r/servers')).servers,
  };
}

async function startOver(rooms: readonly Record<string, number>[], env = {}) {
  const own = await tables();
  await own.putRoom('r');
  const doubles = await Promise.all(rooms.map(() => startDouble()));
  for (const [i, double] of doubles.entries())
    for (const [room, count] of Object.entries(rooms[i] ?? {})) double.rooms.set(room, count);
  const service = await startRest(own, {
    servers: doubles,
    env: { DYNAMODB_TABLE: 'given', ...env },
  });
  return { doubles, service, own };
}

describe('a count', () => {
  test('is null in every answer without a viewer', async () => {
    const { service, doubles } = await startOver([{ r: 2 }]);
    const answers = await answersOf(service);
    expect(answers.state).toMatchObject({ rooms: null, connections: null, complete: false });
    expect(answers.servers).toMatchObject([{ rooms: null, connections: null, epoch: null }]);
    expect(answers.counts).toEqual([
      { room: 'r', connections: null, complete: false, servers: null },
      { room: 'none', connections: null, complete: false, servers: null },
    ]);
    const unknown = { connections: null, complete: false };
    expect(answers.listed).toMatchObject({ ...unknown, active: false });
    expect([answers.isListComplete, answers.busiest]).toEqual(['false', 'false']);
    expect(answers.room).toMatchObject(unknown);
    expect(answers.servedBy).toMatchObject([{ server: doubles[0]?.id, connections: null }]);
  });

  test('is a number once it is reported, and may be 0', async () => {
    const { service } = await startOver([{ r: 2 }, {}]);
    const viewer = await watch(service);
    await eventually(() => expect(viewer.seen().complete).toBe(true));
    const answers = await answersOf(service);
    expect(answers.state).toMatchObject({ rooms: 1, connections: 2, complete: true });
    expect(answers.servers).toMatchObject([{ connections: 2 }, { rooms: 0, connections: 0 }]);
    expect(answers.counts).toMatchObject([
      { room: 'r', connections: 2, complete: true, servers: [{ connections: 2 }] },
      { room: 'none', connections: 0, complete: true, servers: [] },
    ]);
    expect(answers.listed).toMatchObject({ connections: 2, complete: true, active: true });
    expect([answers.isListComplete, answers.busiest]).toEqual(['true', 'true']);
    expect(answers.room).toMatchObject({ connections: 2, complete: true });
  });

  test('of an idle fleet is null until all servers have reported, then 0', async () => {
    const { service, doubles } = await startOver([{}, {}]);
    doubles[1]?.respond({ kind: 'status', status: 503 });
    await watchMaps(service);
    await eventually(async () => {
      const { state, servers } = await answersOf(service);
      expect(servers).toMatchObject([{ connections: 0 }, { connections: null, rooms: null }]);
      expect(state).toMatchObject({ connections: null, rooms: null, complete: false });
    });
    doubles[1]?.respond({ kind: 'normal' });
    await eventually(async () => {
      const { state } = await answersOf(service);
      expect(state).toMatchObject({ connections: 0, rooms: 0, complete: true });
    });
  });

  test('is marked incomplete while a server has not reported', async () => {
    const { service, doubles } = await startOver([{ r: 2 }, { r: 5 }]);
    doubles[1]?.respond({ kind: 'status', status: 503 });
    await untilShown(await watchMaps(service), { r: 2 });
    const answers = await answersOf(service);
    expect(answers.state).toMatchObject({ connections: 2, complete: false });
    expect(answers.servers).toMatchObject([{ connections: 2 }, { connections: null }]);
    expect(answers.counts).toMatchObject([
      { room: 'r', connections: 2, complete: false, servers: [{ id: doubles[0]?.id }] },
      { room: 'none', connections: null, complete: false, servers: [] },
    ]);
    expect(answers.listed).toMatchObject({ connections: 2, complete: false });
    expect(answers.room).toMatchObject({ connections: 2, complete: false });
    expect(answers.servedBy).toContainEqual(
      expect.objectContaining({ server: doubles[1]?.id, connections: null }),
    );
  });

  test('is null for a room that may be left out because of the limit', async () => {
    const { service } = await startOver([{ a: 1, b: 1, r: 1 }], { MAX_ROOMS_PER_SERVER: '2' });
    await untilShown(await watchMaps(service), { a: 1, b: 1 });
    const { counts, room, servedBy } = await answersOf(service);
    expect(counts).toMatchObject([{ room: 'r', connections: null }, { connections: null }]);
    expect(room).toMatchObject({ connections: null, complete: false });
    // It holds the room: whether anybody is connected is not known.
    expect(servedBy).toMatchObject([{ connections: null, answer: 'holds', finding: 'not_stored' }]);
  });

  test('is null and no finding for the room `__proto__`, which servers cannot report', async () => {
    const { service, doubles, own } = await startOver([{ r: 1 }]);
    const [double] = doubles;
    double?.rooms.set('__proto__', 1);
    await own.putRoom('__proto__', { remoteDocs: { SS: [double?.id ?? ''] } });
    await untilShown(await watchMaps(service), { r: 1 });
    const counts = await get(service, '/api/counts?room=__proto__');
    expect(counts.json()).toMatchObject([{ connections: null, complete: false }]);
    const { servers } = (await get(service, '/api/rooms/__proto__/servers')).json<{
      servers: object[];
    }>();
    expect(servers).toMatchObject([{ connections: null, answer: 'holds', finding: null }]);
    const room = await get(service, '/api/rooms/__proto__', asJson);
    expect(room.json()).toMatchObject({ connections: null, complete: false });
  });

  test('is null without a known server', async () => {
    const { service } = await startOver([]);
    await watchMaps(service);
    await eventually(async () => {
      const state = (await get(service, '/api/state')).json<StateView>();
      expect(state).toMatchObject({ state: 'active', rooms: null, connections: null });
    });
  });
});
