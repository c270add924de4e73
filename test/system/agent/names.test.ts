import { expect, test } from '@jest/globals';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import {
  getJson,
  startDouble,
  startStaged,
  untilShown,
  watch,
  watchMaps,
} from '../../support/stage.js';
import { statusOf, untilStanding } from '../rooms/support/rooms.js';

interface RoomAnswer {
  id: string;
  askable: boolean;
  servers: { server: string; answer: string }[];
}

/** A server whose names are not URL paths, such as one with Hocuspocus. */
async function startNaming(...rooms: string[]): Promise<ScriptedServer> {
  const double = await startHolding(...rooms);
  double.agent = { capabilities: ['names'] };
  return double;
}

async function startHolding(...rooms: string[]): Promise<ScriptedServer> {
  const double = await startDouble();
  for (const room of rooms) double.rooms.set(room, 1);
  return double;
}

const queryOf = (room: string) => `room=${encodeURIComponent(room)}`;
const askedOf = ({ requests }: ScriptedServer) =>
  requests.map(({ path }) => path).filter((path) => path.startsWith('/api/room?'));

async function startShowing(servers: ScriptedServer[], rooms: Record<string, number>) {
  const service = await startStaged(servers);
  await untilShown(await watchMaps(service), rooms);
  const serversOf = (room: string) =>
    getJson<RoomAnswer>(`${service.url}/api/room/servers?${queryOf(room)}`);
  const watchRoom = (room: string) => watch(service, `/api/room/events?${queryOf(room)}`);
  return { service, serversOf, watchRoom };
}

test.each(['a=b', 'a?b', '', 'b c', 'd/é', '😀', 'plain'])(
  'the room %j of a server that announces names is found, fetched and watched',
  async (room) => {
    const double = await startNaming(room);
    const { service, serversOf, watchRoom } = await startShowing([double], { [room]: 1 });
    const servers = [{ server: double.id, answer: 'holds' }];
    expect(await serversOf(room)).toMatchObject({ id: room, askable: true, servers });
    expect((await fetch(`${service.url}/api/room?${queryOf(room)}`)).status).toBe(200);
    const viewer = await watchRoom(room);
    await untilStanding(viewer, 'polling');
    expect(statusOf(viewer)).toMatchObject({ askable: true, servers: [double.id] });
    expect(new Set(askedOf(double))).toEqual(
      new Set([`/api/room?name=${encodeURIComponent(room)}`]),
    );
  },
);

test('a room of a deployed server stays unaskable beside a server that announces names', async () => {
  const deployed = await startHolding('a=b');
  const naming = await startNaming('other');
  const { service, serversOf, watchRoom } = await startShowing([deployed, naming], {
    'a=b': 1,
    other: 1,
  });
  const servers = [{ server: deployed.id, answer: 'unasked' }];
  expect(await serversOf('a=b')).toMatchObject({ askable: false, servers });
  const refused = await fetch(`${service.url}/api/room?${queryOf('a=b')}`);
  expect([refused.status, await refused.text()]).toEqual([
    404,
    expect.stringContaining('cannot be asked'),
  ]);
  await untilStanding(await watchRoom('a=b'), 'unaskable');
  expect(askedOf(deployed)).toEqual([]);
});

test('a room that a deployed server and one that announces names hold is read from the latter', async () => {
  const deployed = await startHolding('b c');
  const naming = await startNaming('b c');
  const { serversOf, watchRoom } = await startShowing([deployed, naming], { 'b c': 2 });
  const { askable, servers } = await serversOf('b c');
  expect(askable).toBe(true);
  expect(servers).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ server: deployed.id, answer: 'unasked' }),
      expect.objectContaining({ server: naming.id, answer: 'holds' }),
    ]),
  );
  const viewer = await watchRoom('b c');
  await untilStanding(viewer, 'polling');
  expect(statusOf(viewer).servers).toEqual([naming.id]);
});

test('a room that nobody holds yet is waited for, not called unaskable, if a server announces names', async () => {
  const { watchRoom } = await startShowing([await startNaming('other')], { other: 1 });
  await untilStanding(await watchRoom('b c'), 'waiting');
});

test('a server that comes back without an agent is asked by raw names again', async () => {
  const double = await startNaming('a', 'b c');
  const { service, serversOf } = await startShowing([double], { a: 1, 'b c': 1 });
  double.restart();
  double.agent = undefined;
  double.rooms.set('a', 2).set('b c', 2);
  await double.askAtStartup(service.url, { port: double.port });
  await untilShown(await watchMaps(service), { a: 2, 'b c': 2 });
  double.requests.length = 0;
  expect(await serversOf('a')).toMatchObject({ servers: [{ answer: 'holds' }] });
  expect(await serversOf('b c')).toMatchObject({
    askable: false,
    servers: [{ answer: 'unasked' }],
  });
  expect(askedOf(double)).toEqual(['/api/room?id=a']);
});
