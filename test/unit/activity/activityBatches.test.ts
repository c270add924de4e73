import { expect, test } from '@jest/globals';
import { maxEvents } from '../../../server/activity/activity.js';
import { ActivityBatches } from '../../../server/activity/activityBatches.js';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';

const event = (id: number) => ({ id: String(id) }) as ActivityEvent;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Batches, and the ids in what they send. */
function stage() {
  const sent: string[][] = [];
  const batches = new ActivityBatches((events) => sent.push(events.map(({ id }) => id)));
  return { batches, take: () => sent.splice(0) };
}

test('events of one turn of the event loop are sent together, and each once', async () => {
  const { batches, take } = stage();
  batches.add(event(1));
  batches.add(event(2));
  expect(take()).toEqual([]);
  await turn();
  expect(take()).toEqual([['1', '2']]);
  batches.add(event(3));
  await turn();
  expect(take()).toEqual([['3']]);
  await turn();
  expect(take()).toEqual([]);
});

test('no more are sent than are kept, and those are the newest', async () => {
  const { batches, take } = stage();
  for (let id = 0; id <= maxEvents; id += 1) batches.add(event(id));
  await turn();
  const [ids = []] = take();
  expect([ids.length, ids[0]]).toEqual([maxEvents, '1']);
});
