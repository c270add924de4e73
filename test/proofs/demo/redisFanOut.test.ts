import { beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { encodeAwarenessUpdate } from 'y-protocols/awareness';
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs';
import { type Editor, joinRoom } from '../../../server/demo/editors.js';
import { openConnection } from '../../../server/demo/openConnection.js';
import { type ServerProcess, startServerProcess } from '../../../server/demo/pubSubFleet.js';
import { RedisChannels } from '../../../server/redis/redisChannels.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import { owns, send } from '../../system/demo/support.js';

/** The servers reconnect to Redis after up to two seconds, and later on a busy machine. */
const withinMs = 15_000;

let redis: RedisServer;
let servers: ServerProcess[];
beforeEach(async () => {
  redis = owns(await startRedis(), (it) => it.stop());
  servers = await Promise.all([startServer(), startServer()]);
});

async function startServer(): Promise<ServerProcess> {
  const server = await startServerProcess({ redisUrl: redis.url, forgetAfterMs: 50 });
  return owns(server, (it) => it.stop());
}

async function join(server: ServerProcess | undefined, room: string, name = 'someone') {
  const options = { serverUrl: server?.url ?? '', room, name };
  const editor = owns(joinRoom(options), (it) => it.leave());
  await editor.synced;
  return editor;
}

const shows = (editor: Editor, text: string) =>
  eventually(() => expect(editor.text.toString()).toBe(text), { withinMs });
const sees = (editor: Editor, names: string[]) =>
  eventually(
    () => {
      const states = [...editor.provider.awareness.getStates().values()];
      expect(states.map(({ user }) => user?.name).sort()).toEqual(names);
    },
    { withinMs },
  );

/** Records everything published from now on, in order. */
async function overhear() {
  const messages: { channel: string; message: Buffer }[] = [];
  const on = (channel: string) =>
    messages.filter((it) => it.channel === channel).map(({ message }) => message);
  const channels = owns(new RedisChannels(redis.url, pino({ level: 'silent' })), (it) =>
    it.close(),
  );
  await new Promise<void>((onSubscribed) => {
    const onMessage = (message: Buffer, channel: string) => messages.push({ channel, message });
    channels.followPattern('*', { onMessage, onSubscribed, onLost: () => undefined });
  });
  const text = (channel: string) => {
    const doc = new Doc();
    for (const update of on(channel)) applyUpdate(doc, update);
    return doc.getText('text').toString();
  };
  return { on, text };
}

const ownPresence = ({ doc, provider: { awareness } }: Editor, client = doc.clientID) =>
  Buffer.from(encodeAwarenessUpdate(awareness, [client]));

test('editors on two servers see each other and what they type', async () => {
  const [first, second] = [await join(servers[0], 'r', 'Ann'), await join(servers[1], 'r', 'Bob')];
  await Promise.all([sees(first, ['Ann', 'Bob']), sees(second, ['Ann', 'Bob'])]);
  first.type('hello ');
  await shows(second, 'hello ');
  second.type('world');
  await shows(first, 'hello world');
  await second.leave();
  await sees(first, ['Ann']);
});

test('a later editor on another server gets the earlier text and the other editors', async () => {
  const first = await join(servers[0], 'r', 'Ann');
  first.type('before');
  await eventually(async () => {
    const state = await send(servers[0]?.port ?? 0, 'GET', '/api/room?id=r');
    expect(state.bytes.length).toBeGreaterThan(2);
  });
  const second = await join(servers[1], 'r', 'Bob');
  await shows(second, 'before');
  await Promise.all([sees(first, ['Ann', 'Bob']), sees(second, ['Ann', 'Bob'])]);
});

test('text typed while Redis was down or hung arrives when it is back', async () => {
  const [first, second] = [await join(servers[0], 'r'), await join(servers[1], 'r')];
  first.type('1');
  await shows(second, '1');
  await redis.stop();
  first.type('2');
  second.text.insert(0, '0');
  await redis.restart();
  await Promise.all([shows(first, '012'), shows(second, '012')]);
  redis.suspend();
  first.type('3');
  const third = await join(servers[1], 'r');
  redis.resume();
  await Promise.all([shows(second, '0123'), shows(third, '0123')]);
});

test('each change is published once, as a raw update, without loops', async () => {
  const heard = await overhear();
  const [first, second] = [await join(servers[0], 'r', 'Ann'), await join(servers[1], 'r', 'Bob')];
  await Promise.all([sees(first, ['Ann', 'Bob']), sees(second, ['Ann', 'Bob'])]);
  const typed: Buffer[] = [];
  for (let i = 0; i < 10; i += 1) {
    const [from, to] = i % 2 ? [first, second] : [second, first];
    from.doc.once('update', (update: Uint8Array) => void typed.push(Buffer.from(update)));
    from.type(`${i}`);
    await shows(to, '0123456789'.slice(0, i + 1));
  }
  await eventually(() => expect(heard.text('r')).toBe('0123456789'));
  // A change from Redis is not published again: a later change of the same server follows it.
  const moves: Buffer[] = [];
  for (const [from, to] of [
    [first, second],
    [second, first],
    [first, second],
  ] as const) {
    from.provider.awareness.setLocalStateField('cursor', from.provider.awareness.meta.size);
    const published = ownPresence(from);
    await eventually(() => {
      expect(ownPresence(to, from.doc.clientID)).toEqual(published);
      expect(heard.on('r-presence').at(-1)).toEqual(published);
    });
    moves.push(published);
  }
  const updates = heard.on('r');
  const countsIn = (all: Buffer[]) => (each: Buffer) => all.filter((it) => it.equals(each)).length;
  expect(typed.map(countsIn(updates))).toEqual(Array(10).fill(1));
  expect(moves.map(countsIn(heard.on('r-presence')))).toEqual([1, 1, 1]);
  // In addition, one question of each server, which had no answer.
  expect(updates.filter((it) => it.equals(Buffer.of(0, 0)))).toHaveLength(2);
  expect(updates).toHaveLength(12);
});

test('a room is subscribed to while it is in memory', async () => {
  const room = 'a%20b';
  expect(await redis.subscribers(room)).toBe(0);
  const connections = [
    await openConnection(servers[0]?.url ?? '', room),
    await openConnection(servers[1]?.url ?? '', room),
  ];
  const has = (count: number) =>
    eventually(async () => {
      expect(await redis.subscribers(room)).toBe(count);
      expect(await redis.subscribers(`${room}-presence`)).toBe(count);
    });
  await has(2);
  await connections[0]?.close();
  await has(1);
  await connections[1]?.close();
  await has(0);
});

test('a room whose name ends in -presence does not interfere with others', async () => {
  const [first, second] = [await join(servers[0], 'x', 'Ann'), await join(servers[1], 'x', 'Bob')];
  const [third, fourth] = [
    await join(servers[0], 'x-presence', 'Cid'),
    await join(servers[1], 'x-presence', 'Dan'),
  ];
  third.type('a document of its own');
  await shows(fourth, 'a document of its own');
  first.type('another');
  await shows(second, 'another');
  second.type('!');
  await shows(first, 'another!');
  await Promise.all([sees(first, ['Ann', 'Bob']), sees(second, ['Ann', 'Bob'])]);
  await Promise.all([sees(third, ['Cid', 'Dan']), sees(fourth, ['Cid', 'Dan'])]);
  expect(third.text.toString()).toBe('a document of its own');
});

test.each(['__proto__', '%F0%9F%98%80', 'a=b', ''])(
  'updates of the room %j reach other servers',
  async (room) => {
    const [first, second] = [await join(servers[0], room), await join(servers[1], room)];
    first.type('raw');
    await shows(second, 'raw');
  },
);

test('garbage on a channel harms nothing', async () => {
  const [first, second] = [await join(servers[0], 'r'), await join(servers[1], 'r')];
  await eventually(async () => expect(await redis.subscribers('r')).toBe(2));
  for (const garbage of [[], [255], [1, 2, 3], Buffer.alloc(100_000, 7), [0], [0, 0, 0, 9]]) {
    await redis.publish('r', Uint8Array.from(garbage));
    await redis.publish('r-presence', Uint8Array.from(garbage));
  }
  const other = new Doc();
  other.getText('text').insert(0, 'half of it');
  await redis.publish('r', encodeStateAsUpdate(other).slice(0, -1));
  first.type('still here');
  await shows(second, 'still here');
});

test('a server works alone if Redis does not answer', async () => {
  await redis.stop();
  const [first, second] = [await join(servers[0], 'r'), await join(servers[0], 'r')];
  first.type('alone');
  await shows(second, 'alone');
  await servers[0]?.stop();
  expect(await servers[0]?.exited).toEqual({ code: 0, signal: null });
});
