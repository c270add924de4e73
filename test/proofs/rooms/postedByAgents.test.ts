import { expect, test } from '@jest/globals';
import type { Editor } from '../../../server/demo/editors.js';
import { startServerProcess } from '../../../server/demo/pubSubFleet.js';
import { freePort } from '../../../server/demo/serviceChild.js';

import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { nth, startReal } from '../../support/fleet.js';
import { startRedis } from '../../support/redisServer.js';
import { calm, owns, startStaged, stopStaged, watch } from '../../support/stage.js';
import { framesOf, peopleOf } from '../../system/rooms/support/awareness.js';
import {
  type Consumer,
  consume,
  contentOf,
  dataOf,
  docOn,
  documentOf,
  edit,
  statusOf,
  untilStanding,
  watchRoom,
} from '../../system/rooms/support/rooms.js';

const room = 'r';

/** Real servers with the agent, which are connected by a Redis that the service does not know. */
async function startConnected(count: number) {
  const redis = owns(await startRedis(), (it) => it.stop());
  const start = () => startReal({ redisUrl: redis.url, forgetAfterMs: 50 });
  return Promise.all(Array.from({ length: count }, start));
}

/** The names of the people that the viewer is shown. */
const namesIn = (viewer: EventStream) =>
  Array.from(peopleOf(framesOf(viewer)).values(), ({ state }) => {
    const { user } = state as { user: { name: string } };
    return user.name;
  }).sort();

/** Resolves when editors, servers, the JSON and the consumer are all equal. */
const untilEqual = (
  editors: readonly Editor[],
  holders: readonly { port: number }[],
  viewer: EventStream,
  consumer: Consumer,
) =>
  eventually(async () => {
    const expected = contentOf(nth(editors, 0).doc);
    for (const { doc } of editors) expect(contentOf(doc)).toEqual(expected);
    for (const server of holders) expect(contentOf(await docOn(server, room))).toEqual(expected);
    expect(contentOf(consumer.catchUp())).toEqual(expected);
    expect(documentOf(viewer).text).toEqual({ type: 'text', value: expected.text });
  });

const untilByPosts = (viewer: EventStream) =>
  eventually(() => expect(statusOf(viewer)).toMatchObject({ state: 'live', source: 'posts' }));

test('a document is live by posts of the agent, with its people and its log', async () => {
  const server = await startReal();
  const service = await startStaged([server], calm);
  await watch(service);
  const [ada, bob] = [await edit(server, room, 'Ada'), await edit(server, room, 'Bob')];
  const [viewer, consumer] = [await watchRoom(service, room), await consume(service, room)];
  await untilByPosts(viewer);
  await eventually(() => expect(namesIn(viewer)).toEqual(['Ada', 'Bob']));
  for (let i = 0; i < 100; i += 1) (i % 2 ? ada : bob).type(`${i} `);
  await untilEqual([ada, bob], [server], viewer, consumer);
  expect(dataOf(viewer, 'update')).toHaveLength(100);
  await bob.leave();
  await eventually(() => expect(namesIn(viewer)).toEqual(['Ada']));
  const cleo = await edit(server, room, 'Cleo');
  await eventually(() => expect(namesIn(viewer)).toEqual(['Ada', 'Cleo']));
  cleo.type('and more');
  await untilEqual([ada, cleo], [server], viewer, consumer);
  expect(statusOf(viewer)).toMatchObject({ state: 'live', source: 'posts', garbage: 0 });
}, 60_000);

test('each of several servers posts what its own clients type, and they never seem to differ', async () => {
  const servers = await startConnected(3);
  const service = await startStaged(servers, calm);
  await watch(service);
  const editors = await Promise.all(servers.map((server) => edit(server, room)));
  const [viewer, consumer] = [await watchRoom(service, room), await consume(service, room)];
  await untilByPosts(viewer);
  const timer = owns(
    setInterval(() => nth(editors, Math.floor(Math.random() * 3)).type('word '), 10),
    clearInterval,
  );
  await eventually(() => expect(dataOf(viewer, 'update').length).toBeGreaterThan(1000));
  clearInterval(timer);
  await untilEqual(editors, servers, viewer, consumer);
  await eventually(() => expect(statusOf(viewer).servers).toHaveLength(3));
  for (const { diverged } of dataOf<{ diverged: [] }>(viewer, 'room')) expect(diverged).toEqual([]);
}, 90_000);

test('servers that are not connected are flagged while the room is live', async () => {
  const servers = [await startReal(), await startReal()];
  const service = await startStaged(servers, calm);
  await watch(service);
  const editors = await Promise.all(servers.map((server) => edit(server, room)));
  nth(editors, 0).type('only here');
  nth(editors, 1).type('and there');
  const viewer = await watchRoom(service, room);
  await eventually(() => expect(statusOf(viewer).diverged).toHaveLength(2));
  await untilByPosts(viewer);
}, 60_000);

test('a room goes on when its server is killed, and when that is back', async () => {
  const port = await freePort();
  const [stays, dies] = [await startReal(), await startReal({ port })];
  const service = await startStaged([stays, dies]);
  await watch(service);
  const [ada, bob] = [await edit(stays, room, 'Ada'), await edit(dies, room, 'Bob')];
  const viewer = await watchRoom(service, room);
  await eventually(() => expect(statusOf(viewer).servers).toHaveLength(2));
  await untilByPosts(viewer);
  await dies.kill();
  ada.type('meanwhile. ');
  await eventually(() => expect(documentOf(viewer).text?.value).toContain('meanwhile'));
  // Its counts are removed, so nothing is expected of it any more.
  await eventually(() => expect(statusOf(viewer).servers).toEqual([stays.id]));
  await untilByPosts(viewer);
  owns(await startServerProcess({ port, dashboardUrl: service.url }), (it) => it.kill());
  await eventually(() => expect(statusOf(viewer).servers).toHaveLength(2));
  bob.type('back again. ');
  await eventually(() => expect(documentOf(viewer).text?.value).toContain('back again'));
  await untilByPosts(viewer);
}, 90_000);

test('a room is polled while one of its servers hangs, and live again when that goes on', async () => {
  const [goes, hangs] = await startConnected(2);
  if (!goes || !hangs) throw new Error('two servers were to start');
  // Its counts stay, so it is expected to answer.
  const service = await startStaged([goes, hangs], { PROBE_INTERVAL_MS: '60000' });
  await watch(service);
  const [ada, bob] = [await edit(goes, room, 'Ada'), await edit(hangs, room, 'Bob')];
  const [viewer, consumer] = [await watchRoom(service, room), await consume(service, room)];
  await eventually(() => expect(statusOf(viewer).servers).toHaveLength(2));
  await untilByPosts(viewer);
  hangs.suspend();
  await untilStanding(viewer, 'polling');
  expect(statusOf(viewer)).toMatchObject({ source: 'poll', channel: 'lost' });
  ada.type('meanwhile. ');
  await eventually(() => expect(documentOf(viewer).text?.value).toContain('meanwhile'));
  hangs.resume();
  await untilByPosts(viewer);
  bob.type('and on. ');
  await untilEqual([ada, bob], [goes, hangs], viewer, consumer);
}, 90_000);

test('a room goes on after a restart of the service', async () => {
  const server = await startReal();
  const first = await startStaged([server], calm);
  const ada = await edit(server, room, 'Ada');
  await untilByPosts(await watchRoom(first, room));
  await stopStaged(first);
  ada.type('unseen. ');
  const service = await startStaged([server], calm);
  const [viewer, consumer] = [await watchRoom(service, room), await consume(service, room)];
  await untilByPosts(viewer);
  ada.type('seen.');
  await untilEqual([ada], [server], viewer, consumer);
  await eventually(() => expect(namesIn(viewer)).toEqual(['Ada']));
}, 60_000);

test('an update that is too large for a post is fetched with the state', async () => {
  const server = await startReal();
  const service = await startStaged([server], calm);
  await watch(service);
  const ada = await edit(server, room, 'Ada');
  const [viewer, consumer] = [await watchRoom(service, room), await consume(service, room)];
  await untilByPosts(viewer);
  ada.type('x'.repeat(2_000_000));
  await untilEqual([ada], [server], viewer, consumer);
  ada.type(' and on');
  await untilEqual([ada], [server], viewer, consumer);
  await untilByPosts(viewer);
}, 60_000);

test('a room that nobody holds is live when somebody enters it', async () => {
  const server = await startReal();
  const service = await startStaged([server], calm);
  await watch(service);
  const [viewer, consumer] = [await watchRoom(service, room), await consume(service, room)];
  await untilStanding(viewer, 'waiting');
  const ada = await edit(server, room, 'Ada');
  ada.type('hello');
  await untilByPosts(viewer);
  await untilEqual([ada], [server], viewer, consumer);
}, 60_000);
