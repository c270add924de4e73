import { describe, expect, test } from '@jest/globals';
import { connectTo, nth, sharedFleet } from '../../../support/fleet.js';
import { get, sharedStore, startRest } from '../../../support/restApi.js';
import { startDouble, untilShown, watch, watchMaps } from '../../../support/stage.js';
import { statusOf, untilStanding } from '../../rooms/support/rooms.js';

const { tables } = sharedStore();
const fleet = sharedFleet(1);
const asJson = { Accept: 'application/json' };

/** The path of a room, or of what belongs to it, by its raw name. */
const target = (room: string, rest = '') => `/api/room${rest}?room=${encodeURIComponent(room)}`;

/** Rooms of which one may be taken for another, when a name is decoded once too often or never. */
const rooms = ['a/b', 'a%2Fb', 'a%252Fb', '/lead', 'lead', 'a//b', '..', '.', '100%', '100%25'];
rooms.push('a+b', 'a%20b', 'a&b', 'x/servers', 'x/events', 'x', '__proto__');

const idOf = async (service: { url: string }, path: string) =>
  (await get(service, path, asJson)).json<{ id: string }>().id;

describe('a room in the query', () => {
  test('means exactly that raw name, whatever other rooms exist', async () => {
    const service = await startRest(await tables(), { servers: fleet });
    const viewer = await watchMaps(service);
    for (const room of rooms) await connectTo(nth(fleet, 0), room);
    await untilShown(viewer, Object.fromEntries(rooms.map((room) => [room, 1])));
    for (const room of rooms) {
      expect([room, (await get(service, target(room))).status]).toEqual([room, 200]);
      for (const rest of ['', '/servers', '/log'])
        expect([rest, await idOf(service, target(room, rest))]).toEqual([rest, room]);
      const stream = await watch(service, target(room, '/events'));
      await untilStanding(stream, 'live', 'polling');
      expect(statusOf(stream)).toMatchObject({ room, servers: [nth(fleet, 0).id] });
    }
  });

  test('is never guessed from a similar name', async () => {
    const service = await startRest(await tables(), { servers: fleet });
    const viewer = await watchMaps(service);
    await connectTo(nth(fleet, 0), 'p/q');
    await untilShown(viewer, { 'p/q': 1 });
    const encodedTwice = target(encodeURIComponent('p/q'));
    expect(await get(service, encodedTwice)).toMatchObject({ code: 'room_not_found' });
  });

  test('may have an empty name', async () => {
    const double = await startDouble();
    double.rooms.set('', 2).set('other', 1);
    const service = await startRest(await tables(), { servers: [double] });
    await untilShown(await watchMaps(service), { '': 2, other: 1 });
    const { id, connections } = (await get(service, '/api/room?room=', asJson)).json<{
      id: string;
      connections: number;
    }>();
    expect([id, connections]).toEqual(['', 2]);
  });

  test.each(['', '?', '?id=a', '?room=a&room=b'])(
    'is refused, with what to send, when the query is %p',
    async (query) => {
      const service = await startRest(await tables());
      for (const rest of ['', '/servers', '/log', '/events']) {
        const answer = await get(service, `/api/room${rest}${query}`);
        expect([rest, answer.status, answer.code]).toEqual([rest, 400, 'invalid_parameter']);
        expect(answer.body.toString()).toContain('\\"room\\"');
      }
    },
  );
});
