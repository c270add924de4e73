import { expect, jest, test } from '@jest/globals';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { nth, startReal } from '../../support/fleet.js';
import { watch } from '../../support/stage.js';
import { Cluster } from '../../support/testCluster.js';
import { framesOf, peopleOf } from '../../system/rooms/support/awareness.js';
import {
  type Consumer,
  consume,
  contentOf,
  dataOf,
  documentOf,
  edit,
  statusOf,
  watchRoom,
} from '../../system/rooms/support/rooms.js';

jest.setTimeout(120_000);
const within = { withinMs: 30_000 };
/** Its name has to be asked for by the capability `names`. */
const room = 'a=b';

type Editor = Awaited<ReturnType<typeof edit>>;

/** A cluster over one real pub-sub server with the agent. */
async function startCluster(instances: number) {
  const server = await startReal({ forgetAfterMs: 50 });
  const cluster = await Cluster.start(instances, 0, { PUBSUB_SERVERS: server.id });
  return { server, cluster, add: () => cluster.add({ PUBSUB_SERVERS: server.id }) };
}

const namesIn = (viewer: EventStream) =>
  Array.from(peopleOf(framesOf(viewer)).values(), ({ state }) => {
    const { user } = state as { user: { name: string } };
    return user.name;
  }).sort();

const untilByPosts = (viewer: EventStream) =>
  eventually(
    () => expect(statusOf(viewer)).toMatchObject({ state: 'live', source: 'posts' }),
    within,
  );

/** Resolves when what viewers have is what the editor has. */
const untilEqual = (editor: Editor, viewers: readonly EventStream[], consumer: Consumer) =>
  eventually(() => {
    const { text, vector } = contentOf(editor.doc);
    for (const viewer of viewers) expect(documentOf(viewer).text?.value).toBe(text);
    expect(contentOf(consumer.catchUp())).toEqual({ text, vector });
  }, within);

test('a room is live by posts at every instance where it is watched, with its people', async () => {
  const { server, cluster } = await startCluster(3);
  const leader = await cluster.leading();
  const followers = await cluster.followers();
  const [one, two] = [nth(followers, 0), nth(followers, 1)];
  // The counts are watched, so that the servers are known well.
  await cluster.watch(two);
  const ada = await edit(server, room, 'Ada');
  const viewers = [await watchRoom(one, room), await watchRoom(two, room)];
  viewers.push(await watchRoom(leader, room));
  const consumer = await consume(one, room);
  for (const viewer of viewers) await untilByPosts(viewer);
  for (let i = 0; i < 50; i += 1) ada.type(`${i} `);
  await untilEqual(ada, viewers, consumer);
  expect(dataOf(nth(viewers, 0), 'update')).toHaveLength(50);
  for (const viewer of viewers) await eventually(() => expect(namesIn(viewer)).toEqual(['Ada']));
  const bob = await edit(server, room, 'Bob');
  bob.type('Bob was here');
  await untilEqual(bob, viewers, consumer);
  for (const viewer of viewers)
    await eventually(() => expect(namesIn(viewer)).toEqual(['Ada', 'Bob']));
});

test('a room outlives its leaders, and misses nothing that was typed meanwhile', async () => {
  const { server, cluster, add } = await startCluster(3);
  const watcher = await cluster.follower();
  await cluster.watch(watcher);
  const ada = await edit(server, room, 'Ada');
  const viewer = await watchRoom(watcher, room);
  const consumer = await consume(watcher, room);
  await untilByPosts(viewer);
  // The watcher itself may be the next leader.
  for (let leaders = 0; leaders < 2; leaders += 1) {
    const leader = await cluster.leading();
    if (leader === watcher) break;
    const typing = setInterval(() => ada.type(`while ${leaders} `), 50);
    await cluster.stop(leader);
    await cluster.leading();
    clearInterval(typing);
    ada.type(`end of ${leaders} `);
    await untilEqual(ada, [viewer], consumer);
    await untilByPosts(viewer);
    ada.type('by posts ');
    await untilEqual(ada, [viewer], consumer);
    if (leaders === 0) await add();
  }
});

test('a viewer of all updates at a follower makes servers post, before and after a takeover', async () => {
  const { server, cluster } = await startCluster(2);
  const leader = await cluster.leading();
  const follower = await cluster.follower();
  const updates = await watch(follower, '/api/updates?as=updates');
  const rooms = () => dataOf<{ room: string }>(updates, 'update').map((entry) => entry.room);
  const stateNow = () => dataOf<{ state: string }>(updates, 'status').at(-1)?.state;
  await eventually(
    () => expect(leader.activation.getSnapshot().matches('active')).toBe(true),
    within,
  );
  const ada = await edit(server, room, 'Ada');
  await eventually(() => {
    ada.type('x');
    expect(rooms()).toContain(room);
  }, within);
  expect(stateNow()).toBe('following');
  await cluster.stop(leader);
  expect(await cluster.leading()).toBe(follower);
  const before = rooms().length;
  await eventually(() => {
    ada.type('y');
    expect(rooms().length).toBeGreaterThan(before);
  }, within);
  expect(stateNow()).toBe('following');
  expect(dataOf<{ state: string }>(updates, 'status').map(({ state }) => state)).toContain('lost');
  await updates.close();
  await eventually(() => expect(follower.activation.getSnapshot().value).toBe('inactive'), within);
});

test('without Redis nobody leads, and rooms are polled on the servers that were known', async () => {
  const { server, cluster } = await startCluster(2);
  const leader = await cluster.leading();
  const follower = await cluster.follower();
  await cluster.watch(follower);
  const ada = await edit(server, room, 'Ada');
  const viewers = [await watchRoom(follower, room), await watchRoom(leader, room)];
  const consumer = await consume(follower, room);
  for (const viewer of viewers) await untilByPosts(viewer);
  await cluster.redis.stop();
  for (const viewer of viewers)
    await eventually(
      () => expect(statusOf(viewer)).toMatchObject({ state: 'polling', source: 'poll' }),
      within,
    );
  ada.type('nobody leads');
  await untilEqual(ada, viewers, consumer);
  // A room that nobody has asked for before.
  const other = 'b=c';
  const bob = await edit(server, other, 'Bob');
  bob.type('found without a leader');
  const found = await watchRoom(follower, other);
  await eventually(
    () => expect(documentOf(found).text?.value).toBe('found without a leader'),
    within,
  );
});
