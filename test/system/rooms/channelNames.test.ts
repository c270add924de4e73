import { beforeEach, expect, test } from '@jest/globals';
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { ChannelNames } from '../../../server/rooms/watching/channelNames.js';
import { eventually } from '../../support/eventually.js';
import { startCluster } from '../../support/redisFleets.js';
import { startRedis } from '../../support/redisServer.js';
import { calm, owns, startStaged, watch } from '../../support/stage.js';
import { type DocServer, startDocServer } from './support/docServer.js';
import { dataOf, documentOf, statusOf, untilStanding, watchRoom } from './support/rooms.js';

let server: DocServer;
beforeEach(async () => {
  server = await startDocServer();
});

test.each(['', 'doc:', 'a*b?[c]\\:', '__proto__'])('with the prefix %j', (prefix) => {
  const names = new ChannelNames({ prefix, presenceSuffix: ':who' });
  for (const room of ['r', '', 'a*', '__proto__', 'x-presence'])
    expect(names.roomOf(names.updates(room))).toBe(room);
  expect(names.roomOf(names.presence('r'))).toBeUndefined();
  expect(names.roomOf(`-${prefix}r`)).toBe(prefix === '' ? '-r' : undefined);
});

test('rooms, people and all updates are read from channels with a configured prefix and suffix', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  // Taken literally, also where it is a pattern of Redis.
  const prefix = 'd[o]c*:';
  const service = await startStaged([server], {
    ...calm,
    REDIS_URL: redis.url,
    REDIS_CHANNEL_PREFIX: prefix,
    REDIS_PRESENCE_SUFFIX: ':who',
  });
  const doc = server.doc('r');
  doc.getText('text').insert(0, 'a');
  doc.on('update', (update: Uint8Array) => void redis.publish(`${prefix}r`, update));
  const viewer = await watchRoom(service, 'r');
  const updates = await watch(service, '/api/updates');
  const states = () => dataOf<{ state: string }>(updates, 'status').map(({ state }) => state);
  await untilStanding(viewer, 'live');
  await eventually(() => expect(states()).toContain('following'));
  const awareness = owns(new Awareness(new Y.Doc()), (it) => it.destroy());
  awareness.setLocalState({ user: { name: 'Ada' } });
  const who = encodeAwarenessUpdate(awareness, [awareness.clientID]);
  for (const channel of ['r', 'doc:r', 'd[o]cx:r'])
    await redis.publish(channel, 'of somebody else');
  await redis.publish(`${prefix}r:who`, who);
  doc.getText('text').insert(1, 'b');
  await eventually(() => expect(documentOf(viewer).text?.value).toBe('ab'));
  await eventually(() => {
    const people = dataOf<{ clients: { state: unknown }[] }>(viewer, 'awareness').at(-1)?.clients;
    expect(people?.map(({ state }) => state)).toEqual([{ user: { name: 'Ada' } }]);
  });
  expect(statusOf(viewer)).toMatchObject({
    channel: 'followed',
    presence: 'subscribed',
    garbage: 0,
  });
  await eventually(() => {
    expect(dataOf<{ room: string }>(updates, 'update').map(({ room }) => room)).toEqual(['r']);
  });
  expect(dataOf(updates, 'status').at(-1)).toMatchObject({ garbage: 0, dropped: 0 });
});

test('a room on a cluster is followed again after its node was killed', async () => {
  const nodes = await startCluster();
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const service = await startStaged([server], { ...calm, REDIS_URL: `redis://${hosts}` });
  const doc = server.doc('r');
  let publisher = nodes[0];
  doc.on('update', (update: Uint8Array) => void publisher.publish('r', update));
  const text = doc.getText('text');
  text.insert(0, 'a');
  const viewer = await watchRoom(service, 'r');
  await untilStanding(viewer, 'live');
  const until = async (written: string) => {
    text.insert(text.length, written);
    await eventually(() => expect(documentOf(viewer).text?.value).toBe(text.toString()));
  };
  await until('b');
  let killed = nodes[0];
  for (const node of nodes) if ((await node.subscribers('r')) > 0) killed = node;
  publisher = nodes.find((node) => node !== killed) ?? publisher;
  await killed.stop();
  await eventually(() => expect(statusOf(viewer).channel).toBe('lost'));
  await eventually(() => expect(statusOf(viewer).state).toBe('live'));
  await eventually(async () => {
    await until('c');
    expect(statusOf(viewer)).toMatchObject({ state: 'live', channel: 'followed' });
  });
});
