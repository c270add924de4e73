import { expect, test } from '@jest/globals';
import type { RoomSummary } from '../../../server/rooms/lookup/roomList.js';
import { get, sharedStore, startRest } from '../../support/restApi.js';

const { tables } = sharedStore();

const size = 5000;
const crowd = 200;

test('many scans at once that find nothing read a limited number of items and delay nothing else', async () => {
  const own = await tables();
  await own.putRooms(Array.from({ length: size }, (_, i) => `room-${i}`));
  const service = await startRest(own);
  own.traffic.itemsRead = 0;
  const scans = Array.from({ length: crowd }, (_, i) =>
    get(
      service,
      `/api/rooms?limit=1000&prefix=${i % 2 === 0 ? `zzz${i}` : `room-${i}&active=true`}`,
    ),
  );
  let isOver = false;
  const answered = Promise.all(scans).finally(() => {
    isOver = true;
  });
  let others = 0;
  while (!isOver) {
    expect((await get(service, '/health')).status).toBe(200);
    expect((await get(service, '/api/room/servers?room=room-1')).json()).toMatchObject({
      storeStale: false,
    });
    others += 1;
  }
  // They are answered between the scans, and not after all of them.
  expect(others).toBeGreaterThan(3);
  const answers = await answered;
  const [found, refused] = [200, 503].map((code) =>
    answers.filter(({ status }) => status === code),
  );
  expect((found?.length ?? 0) + (refused?.length ?? 0)).toBe(crowd);
  expect(found).not.toEqual([]);
  for (const answer of found ?? []) expect(answer.json<RoomSummary[]>()).toEqual([]);
  for (const { code, headers } of refused ?? [])
    expect([code, headers['retry-after']]).toEqual(['store_unavailable', '2']);
  // A page reads a thousand items more than it may show.
  expect(own.traffic.itemsRead).toBeLessThanOrEqual(2001 * crowd);
  // The next request is answered.
  expect((await get(service, '/api/rooms?limit=10')).json<RoomSummary[]>()).toHaveLength(10);
});
