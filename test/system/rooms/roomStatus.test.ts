import { expect, test } from '@jest/globals';
import { startServerProcess } from '../../../server/demo/pubSubFleet.js';
import { eventually } from '../../support/eventually.js';
import {
  getJson,
  owns,
  startDouble,
  startStaged,
  untilShown,
  watch,
  watchMaps,
} from '../../support/stage.js';
import {
  dataOf,
  edit,
  type RoomStatus,
  statusOf,
  untilStanding,
  watchRoom,
} from './support/rooms.js';

test('each status is consistent: its state fits its servers', async () => {
  const servers = await Promise.all(
    [1, 2].map(async () => owns(await startServerProcess({ forgetAfterMs: 0 }), (it) => it.kill())),
  );
  const service = await startStaged(servers);
  const viewer = await watchRoom(service, 'r');
  await untilStanding(viewer, 'waiting');
  const editors = await Promise.all(servers.map((server) => edit(server, 'r', 'text')));
  await untilStanding(viewer, 'live');
  await Promise.all(editors.map((editor) => editor.leave()));
  await untilStanding(viewer, 'gone');

  const told = dataOf<RoomStatus>(viewer, 'room');
  const holding = ['live', 'polling'];
  for (const { state, servers: holders } of told)
    expect([state, holders.length > 0]).toEqual([state, holding.includes(state)]);
});

test.each(['a=b', 'a?b', ''])(
  'the room %j, which no server can be asked for, is unaskable and not waiting',
  async (room) => {
    const double = await startDouble();
    double.rooms.set(room, 2);
    const service = await startStaged([double]);
    const query = `room=${encodeURIComponent(room)}`;
    const viewer = await watch(service, `/api/room/events?${query}`);
    await untilShown(await watchMaps(service), { [room]: 2 });
    await eventually(async () =>
      expect(await getJson(`${service.url}/api/counts?${query}`)).toMatchObject([
        { connections: 2 },
      ]),
    );
    await untilStanding(viewer, 'unaskable');
    expect(statusOf(viewer)).toMatchObject({ askable: false, servers: [] });
    expect(double.requests.filter(({ path }) => path.startsWith('/api/room?'))).toEqual([]);
  },
);
