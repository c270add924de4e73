import { expect, jest, test } from '@jest/globals';
import type { RoomStatus } from '../../../server/wire/roomStatus.js';
import { eventually } from '../../support/eventually.js';
import { nth } from '../../support/fleet.js';
import { owns, watch } from '../../support/stage.js';
import {
  consume,
  contentOf,
  dataOf,
  documentOf,
  edit,
  statusOf,
  watchRoom,
} from '../../system/rooms/support/rooms.js';
import { Cluster } from './cluster.js';

jest.setTimeout(240_000);
const within = { withinMs: 60_000 };
const room = 'a=b';

/** A document that somebody edits all the time, watched at an instance that follows. */
async function startWatched() {
  const cluster = owns(await Cluster.start({ servers: 2 }), (it) => it.stop());
  const watcher = nth(await cluster.followers(), 0);
  cluster.watchAt(watcher);
  const ada = await edit(nth(cluster.servers, 0), room, 'Ada');
  const typing = setInterval(() => ada.type('x'), 20);
  owns(typing, clearInterval);
  const viewer = await watchRoom(watcher, room);
  const consumer = await consume(watcher, room);
  const updates = await watch(watcher, '/api/updates');
  /** How many statuses told that the room is not live by posts. That may last only for a moment. */
  const polls = () =>
    dataOf<RoomStatus>(viewer, 'room').filter(({ source }) => source === 'poll').length;
  const isByPosts = () =>
    expect(statusOf(viewer)).toMatchObject({ state: 'live', source: 'posts' });
  /** Resolves when everything that was typed until now is shown. */
  const untilShown = async () => {
    const { vector } = contentOf(ada.doc);
    const typed = ada.doc.getText('text').length;
    await eventually(() => {
      expect(String(documentOf(viewer).text?.value).length).toBeGreaterThanOrEqual(typed);
      for (const [client, clock] of Object.entries(vector))
        expect(contentOf(consumer.catchUp()).vector[client]).toBeGreaterThanOrEqual(clock);
    }, within);
  };
  await eventually(isByPosts, within);
  await untilShown();
  return { cluster, watcher, viewer, updates, polls, isByPosts, untilShown };
}

/** The room is live by posts of the next leader, and nothing is missing. */
async function untilWell({
  isByPosts,
  untilShown,
  updates,
}: Awaited<ReturnType<typeof startWatched>>) {
  await eventually(isByPosts, within);
  await untilShown();
  const before = dataOf(updates, 'update').length;
  await eventually(() => expect(dataOf(updates, 'update').length).toBeGreaterThan(before), within);
}

test('a room that is watched at a follower outlives leaders that are killed', async () => {
  const watched = await startWatched();
  const { cluster, watcher, viewer } = watched;
  for (let kills = 0; kills < 3; kills += 1) {
    const leader = await cluster.leader();
    if (leader === watcher) break;
    const before = watched.polls();
    await leader.kill();
    await eventually(() => expect(watched.polls()).toBeGreaterThan(before), within);
    await watched.untilShown();
    await leader.start();
    await untilWell(watched);
  }
  expect(viewer.isEnded()).toBe(false);
});

test('a room that is watched at a follower outlives a leader that is suspended', async () => {
  const watched = await startWatched();
  const leader = await watched.cluster.leader();
  const before = watched.polls();
  leader.suspend();
  await eventually(() => expect(watched.polls()).toBeGreaterThan(before), within);
  await watched.untilShown();
  await untilWell(watched);
  leader.resume();
  await watched.untilShown();
  await untilWell(watched);
});
