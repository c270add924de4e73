import { expect, test } from '@jest/globals';
import type {
  FleetHistory,
  RoomHistory,
  ServerHistory,
} from '../../../server/wire/historyReport.js';
import { eventually } from '../../support/eventually.js';
import { calm, getJson, startDouble, startStaged, untilState, watch } from '../../support/stage.js';

test('the numbers of the fleet, its servers and its rooms are kept while there is a viewer', async () => {
  const double = await startDouble();
  double.rooms.set('a', 2).set('b%20c', 1);
  const service = await startStaged([double], calm);
  const ask = <T>(query = '') => getJson<T>(`${service.url}/api/history${query}`);
  expect(await ask()).toMatchObject({ step: 1, from: null, active: false, connections: [] });

  const viewer = await watch(service);
  await eventually(async () => {
    const fleet = await ask<FleetHistory>();
    const last = [fleet.connections, fleet.rooms, fleet.servers, fleet.live].map((it) => it.at(-1));
    expect(last).toEqual([3, 2, 1, 1]);
    expect([fleet.active, fleet.complete.at(-1), fleet.kept.servers]).toEqual([true, true, 1]);
  });
  const server = await ask<ServerHistory>(`?server=${double.id}`);
  expect([server.server, server.connections.at(-1), server.rooms.at(-1)]).toEqual([
    double.id,
    3,
    2,
  ]);
  expect((await ask<FleetHistory>('?step=30')).connections.at(-1)).toBe(3);
  await eventually(async () => {
    const room = await ask<RoomHistory>(`?room=${encodeURIComponent('b%20c')}`);
    expect(room).toMatchObject({ room: 'b%20c', step: 30 });
    // There is one number for each half minute that the test takes.
    expect(new Set(room.connections)).toEqual(new Set([1]));
  });

  // Several rooms at once, in the order asked.
  const several = await ask<RoomHistory[]>('/rooms?room=none&room=b%2520c');
  expect(several.map(({ room, connections }) => [room, new Set(connections)])).toEqual([
    ['none', new Set()],
    ['b%20c', new Set([1])],
  ]);
  expect((await fetch(`${service.url}/api/history/rooms`)).status).toBe(400);

  await viewer.close();
  await untilState(service, 'inactive');
  await eventually(async () => expect((await ask<FleetHistory>()).active).toBe(false));
  const before = await ask<FleetHistory>();
  await watch(service);
  await eventually(async () => {
    const { connections, from } = await ask<FleetHistory>();
    expect(connections.length).toBeGreaterThan(before.connections.length);
    expect([from, connections.at(-1)]).toEqual([before.from, 3]);
  });
});

test.each(['?step=2', '?step=1&room=a', '?server=a&room=a', '?room=a&room=b'])(
  'a question that makes no sense is refused: %s',
  async (query) => {
    const service = await startStaged([await startDouble()], calm);
    expect((await fetch(`${service.url}/api/history${query}`)).status).toBe(400);
  },
);
