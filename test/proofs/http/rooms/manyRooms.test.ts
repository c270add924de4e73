import { expect, test } from '@jest/globals';
import type { RoomSummary } from '../../../../server/rooms/lookup/roomList.js';
import { allPages, get, nextOf, sharedStore, startRest } from '../../../support/restApi.js';
import { startDouble, untilShown, watchMaps } from '../../../support/stage.js';

const { tables } = sharedStore();
const size = 100_000;
const loadingMs = 240_000;

test(
  'with 100,000 rooms in the table a page reads a bounded number of items',
  async () => {
    const own = await tables();
    await own.putRooms(Array.from({ length: size }, (_, i) => `room-${i}`));
    const double = await startDouble();
    for (let i = 0; i < 500; i += 1) double.rooms.set(`room-${i}`, i + 1);
    const service = await startRest(own, { servers: [double] });
    await untilShown(await watchMaps(service), Object.fromEntries(double.rooms));

    /** Asks for a page; its rooms, its next, and what it took of the store. */
    const take = async (path: string) => {
      own.traffic.itemsRead = 0;
      own.traffic.commands.length = 0;
      const answer = await get(service, path);
      const { itemsRead, commands } = own.traffic;
      const rooms = answer.json<RoomSummary[]>().map(({ id }) => id);
      return { rooms, next: nextOf(answer, path), itemsRead, requests: commands.length };
    };

    // While the service is active it looks at the (empty) table of servers now and then.
    const spare = 1;
    const first = await take('/api/rooms?limit=50');
    expect(first.rooms).toHaveLength(50);
    expect(first.itemsRead).toBe(50);
    expect(first.requests).toBeLessThanOrEqual(1 + spare);
    const second = await take(first.next ?? 'no next');
    expect(second.rooms).toHaveLength(50);
    expect(second.itemsRead).toBe(50);
    expect(new Set([...first.rooms, ...second.rooms]).size).toBe(100);

    // Few or none of the items read are shown: it comes back short, and can go on.
    for (const query of [
      'prefix=zzz',
      'prefix=room-77777',
      'active=true',
      'active=true&prefix=room-1',
    ]) {
      const short = await take(`/api/rooms?limit=50&${query}`);
      expect([query, short.rooms.length < 50, typeof short.next]).toEqual([query, true, 'string']);
      expect(short.itemsRead).toBeLessThanOrEqual(1050);
      expect(short.requests).toBeLessThanOrEqual(2 + spare);
    }

    const busiest = await take('/api/rooms?limit=50&sort=connections');
    expect(busiest.rooms).toEqual(Array.from({ length: 50 }, (_, i) => `room-${499 - i}`));
    expect(busiest.itemsRead).toBe(0);
    const live = await allPages<RoomSummary>(service, '/api/rooms?limit=200&sort=connections');
    expect(live.map(({ length }) => length)).toEqual([200, 200, 100]);

    const all = await allPages<RoomSummary>(service, '/api/rooms');
    expect(all.length).toBeLessThanOrEqual(size / 1000 + 1);
    expect(all.flat()).toHaveLength(size);
    expect(new Set(all.flat().map(({ id }) => id)).size).toBe(size);
  },
  loadingMs,
);
