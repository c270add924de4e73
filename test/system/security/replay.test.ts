import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import {
  calm,
  post,
  quick,
  serversOf,
  startDouble,
  startStaged,
  untilShown,
  watch,
} from '../../support/stage.js';
import { startWatched } from '../../support/watchedService.js';
import { HeapClock } from '../../unit/machines/heapClock.js';

/** A post, as somebody on the network would copy it. */
const body = JSON.stringify({ room: 'r', add: 1 });

test('a post that is replayed in its epoch counts again until the next snapshot of its server', async () => {
  const [double, other] = [await startDouble(), await startDouble()];
  double.rooms.set('r', 1);
  other.rooms.set('r', 1);
  // The next snapshot comes when the test lets time pass.
  const clock = new HeapClock();
  const service = await startStaged([double, other], quick, { clock });
  const viewer = await watch(service);
  await untilShown(viewer, { r: 2 });
  const { eventsUrl = '' } = double;
  for (let i = 0; i < 3; i += 1) expect((await post(eventsUrl, body)).status).toBe(204);
  await untilShown(viewer, { r: 5 });
  await eventually(() => {
    if (double.eventsUrl === eventsUrl) clock.advance(50);
    expect(viewer.rooms()).toEqual({ r: 2 });
  });
  // The count stays: replayed posts belong to an epoch that is over.
  const before = viewer.messages.length;
  expect(double.eventsUrl).not.toBe(eventsUrl);
  for (let i = 0; i < 20; i += 1) expect((await post(eventsUrl, body)).status).toBe(204);
  await double.open('after');
  await untilShown(viewer, { r: 2, after: 1 });
  for (const { data } of viewer.messages.slice(before))
    expect(JSON.parse(data).rooms?.r ?? 2).toBe(2);
});

test('a post that is replayed changes no count of another server', async () => {
  const { double, other, service, viewer } = await startWatched(calm);
  for (let i = 0; i < 5; i += 1) await post(double.eventsUrl ?? '', body);
  await untilShown(viewer, { r: 7 });
  const rows = await serversOf(service);
  expect(rows.find(({ id }) => id === other.id)).toMatchObject({ rooms: 1, connections: 1 });
});
