import { beforeEach, describe, expect, test } from '@jest/globals';
import * as Y from 'yjs';
import type { ServerId } from '../../../machines/ports.js';
import { ChannelWatch } from '../../../server/rooms/watching/channelWatch.js';
import type { Service } from '../../../server/service.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import { calm, owns, startStaged } from '../../support/stage.js';
import { type DocServer, startDocServer } from '../../system/rooms/support/docServer.js';
import {
  dataOf,
  documentOf,
  type RoomStatus,
  statusOf,
  untilStanding,
  watchRoom,
} from '../../system/rooms/support/rooms.js';

const room = 'r';

let redis: RedisServer;
let server: DocServer;
beforeEach(async () => {
  redis = owns(await startRedis(), (it) => it.stop());
  server = await startDocServer();
});

const start = (env: Record<string, string> = {}): Promise<Service> =>
  startStaged([server], { ...calm, REDIS_URL: redis.url, ...env });

const textIn = (stream: EventStream) => documentOf(stream).text?.value;
const untilText = (stream: EventStream, text: string) =>
  eventually(() => expect(textIn(stream)).toBe(text));
const untilChannel = (stream: EventStream, channel: string) =>
  eventually(() => expect(statusOf(stream).channel).toBe(channel));
const standingsOf = (stream: EventStream) =>
  dataOf<RoomStatus>(stream, 'room').map(({ state, source, channel }) => [state, source, channel]);

/** Types in a room; `publish` is how the server publishes each update. */
function typist(publish: (update: Uint8Array) => unknown, name = room) {
  const doc = server.doc(name);
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => {
    updates.push(update);
    publish(update);
  });
  const text = doc.getText('text');
  return { updates, text, type: (words: string) => text.insert(text.length, words) };
}

/** Until a round has ended that began when the room was live. */
async function untilLookedAfter(viewer: EventStream, name = room) {
  await untilStanding(viewer, 'live');
  const rounds = server.asked.get(name) ?? 0;
  await eventually(() => expect(server.asked.get(name)).toBeGreaterThan(rounds));
}

test('a room whose channel carries nothing stops being live, says why, and is polled', async () => {
  const servers: Record<string, (update: Uint8Array) => unknown> = {
    'nobody publishes': () => undefined,
    'in another encoding': (update) => redis.publish('in%20another%20encoding', encoded(update)),
    'under another name': (update) => redis.publish('doc:under%20another%20name', update),
  };
  const service = await start();
  const watching = Object.entries(servers).map(async ([name, publish]) => {
    const { type } = typist(publish, encodeURIComponent(name));
    type('a');
    const viewer = await watchRoom(service, encodeURIComponent(name));
    await untilLookedAfter(viewer, encodeURIComponent(name));
    expect(statusOf(viewer)).toMatchObject({ source: 'redis', channel: 'subscribed' });
    type('b');
    await untilText(viewer, 'ab');
    await untilStanding(viewer, 'polling');
    expect(statusOf(viewer)).toMatchObject({ source: 'poll', channel: 'silent' });
    type('c');
    await untilText(viewer, 'abc');
    expect(statusOf(viewer)).toMatchObject({ state: 'polling', channel: 'silent' });
  });
  await Promise.all(watching);
});

test('it is live again when the channel delivers a change', async () => {
  let isPublished = false;
  const { type, updates } = typist((update) => isPublished && redis.publish(room, update));
  type('a');
  const viewer = await watchRoom(await start(), room);
  await untilLookedAfter(viewer);
  type('b');
  await untilChannel(viewer, 'silent');
  await untilStanding(viewer, 'polling');
  isPublished = true;
  // What the channel has not brought is not waited for for ever.
  await eventually(() => {
    type('c');
    expect(statusOf(viewer).channel).toBe('followed');
  });
  await untilStanding(viewer, 'live');
  expect(updates.length).toBeGreaterThan(2);
  await untilText(viewer, server.doc(room).getText('text').toString());
});

test('a room stays live while everything is published, deletions and formats included', async () => {
  const { type, text } = typist((update) => redis.publish(room, update));
  type('a');
  const viewer = await watchRoom(await start(), room);
  await untilStanding(viewer, 'live');
  const rounds = server.asked.get(room) ?? 0;
  // Five rounds in the middle of typing.
  const typing = setInterval(() => {
    type('word ');
    if (text.length > 50) text.delete(0, 20);
    text.format(0, 3, { bold: true });
  }, 5);
  try {
    await eventually(() => expect(server.asked.get(room)).toBeGreaterThan(rounds + 3));
  } finally {
    clearInterval(typing);
  }
  const all = standingsOf(viewer);
  expect(all.slice(all.findIndex(([state]) => state === 'live'))).toEqual([
    ['live', 'redis', 'subscribed'],
    ['live', 'redis', 'followed'],
  ]);
});

test('a room too large for a document is also polled when nobody publishes', async () => {
  const { type } = typist(() => undefined);
  type('a'.repeat(3000));
  const viewer = await watchRoom(await start({ MAX_ROOM_BYTES: '2 KiB' }), room, '?as=updates');
  await untilLookedAfter(viewer);
  type('b');
  await untilChannel(viewer, 'silent');
  await untilStanding(viewer, 'polling');
});

test('a room reports a missing channel as none, refused or lost', async () => {
  typist(() => undefined).type('a');
  const without = await watchRoom(await startStaged([server], calm), room);
  await untilStanding(without, 'polling');
  expect(statusOf(without)).toMatchObject({ source: 'poll', channel: 'none', presence: 'none' });
  await redis.call(
    'ACL',
    'SETUSER',
    'us',
    'on',
    '>secret',
    '+@all',
    'resetchannels',
    '&r-presence',
  );
  const url = redis.url.replace('//', '//us:secret@');
  const refused = await watchRoom(await start({ REDIS_URL: url }), room);
  await untilStanding(refused, 'polling');
  await eventually(() =>
    expect(statusOf(refused)).toMatchObject({ channel: 'refused', presence: 'subscribed' }),
  );
  await redis.call('ACL', 'SETUSER', 'us', 'allchannels');
  await untilStanding(refused, 'live');
  expect(statusOf(refused)).toMatchObject({ channel: 'subscribed', presence: 'subscribed' });
  await redis.stop();
  await eventually(() =>
    expect(statusOf(refused)).toMatchObject({ channel: 'lost', presence: 'lost' }),
  );
  const late = await watchRoom(await start(), room);
  await eventually(() => expect(standingsOf(late)[0]).toEqual(['locating', 'poll', 'connecting']));
  await eventually(() =>
    expect(statusOf(late)).toMatchObject({ channel: 'lost', presence: 'lost' }),
  );
});

/** As those do who put a name and a type in front. */
function encoded(update: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(JSON.stringify({ room })), update]);
}

describe('ChannelWatch', () => {
  const [one, two] = ['10.0.0.1:8001', '10.0.0.2:8001'] as [ServerId, ServerId];
  let nowMs: number;
  let told: string[];
  let watch: ChannelWatch;
  beforeEach(() => {
    nowMs = 0;
    told = [];
    watch = new ChannelWatch(() => nowMs, {
      onUndelivered: () => told.push('missed'),
      onDelivered: () => told.push('heard'),
    });
    watch.begin();
    watch.endRound([one], false);
  });
  const structs = (from: number, to: number) => ({
    structs: [{ client: 1, from, to }],
    deletions: [],
  });
  /** The update that carries these clocks of client 1. */
  function updateOf(from: number, to: number): Uint8Array {
    const doc = new Y.Doc();
    doc.clientID = 1;
    const text = doc.getText('text');
    text.insert(0, 'x'.repeat(from));
    const before = Y.encodeStateVector(doc);
    text.insert(from, 'x'.repeat(to - from));
    return Y.encodeStateAsUpdate(doc, before);
  }

  test('reports an undelivered change after a judged round, and its delivery in any number of parts', () => {
    watch.noteAdded(one, structs(5, 10));
    watch.endRound([one], true);
    watch.noteUpdate(updateOf(5, 8), false);
    expect(told).toEqual(['missed']);
    watch.noteUpdate(updateOf(8, 10), false);
    watch.noteUpdate(updateOf(10, 11), true);
    expect(told).toEqual(['missed', 'heard']);
  });

  test('treats deletions like insertions', () => {
    const doc = new Y.Doc();
    doc.clientID = 1;
    const text = doc.getText('text');
    text.insert(0, 'abcdef');
    const updates: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => updates.push(update));
    text.delete(1, 2);
    watch.noteAdded(one, { structs: [], deletions: [{ client: 1, from: 1, to: 3 }] });
    watch.endRound([one], true);
    watch.noteUpdate(updates[0] as Uint8Array, false);
    expect(told).toEqual(['missed', 'heard']);
  });

  test('ignores changes on a server that the round before did not read', () => {
    watch.noteAdded(two, structs(0, 5));
    watch.endRound([one, two], true);
    expect(told).toEqual([]);
    watch.noteAdded(two, structs(5, 6));
    watch.endRound([one, two], true);
    expect(told).toEqual(['missed']);
  });

  test('ignores changes that arrived before the round ended or were dropped here', () => {
    watch.noteAdded(one, structs(5, 10));
    watch.noteUpdate(updateOf(5, 10), false);
    watch.endRound([one], true);
    expect(told).toEqual(['heard']);
    watch.noteAdded(one, structs(10, 12));
    watch.noteDropped();
    watch.endRound([one], true);
    expect(told).toEqual(['heard']);
  });

  test('other changes do not count as delivery, and an undelivered change is forgotten after a while', () => {
    watch.noteAdded(one, structs(5, 10));
    watch.endRound([one], true);
    watch.noteUpdate(updateOf(20, 21), true);
    expect(told).toEqual(['missed']);
    nowMs = 4000;
    watch.endRound([one], true);
    watch.noteUpdate(updateOf(21, 22), true);
    expect(told).toEqual(['missed', 'heard']);
  });
});
