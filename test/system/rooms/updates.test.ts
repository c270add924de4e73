import { expect, jest, test } from '@jest/globals';
import * as Y from 'yjs';
import type { Editor } from '../../../server/demo/editors.js';
import type { Service } from '../../../server/service.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { nth, startReal } from '../../support/fleet.js';
import { startRedis } from '../../support/redisServer.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import {
  calm,
  owns,
  post,
  startDouble,
  startStaged,
  untilState,
  watch,
  watchMaps,
} from '../../support/stage.js';
import { dataOf, edit } from './support/rooms.js';

/** An update with a value that is nested as deep. */
const nested = (depth: number): Uint8Array => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = [value];
  const doc = new Y.Doc();
  doc.getArray('list').push([value]);
  return Y.encodeStateAsUpdate(doc);
};

interface UpdateEntry {
  room: string;
  source: string;
  bytes: number;
  isExamined: boolean;
  inserted: number;
  types: string[];
  update?: string;
}
interface FeedStatus {
  source: string;
  state: string;
  dropped: number;
  garbage: number;
  foreign: number;
}

const watchUpdates = (service: Service, query = '') => watch(service, `/api/updates${query}`);
const entriesOf = (stream: EventStream) => dataOf<UpdateEntry>(stream, 'update');
const roomsOf = (stream: EventStream) => entriesOf(stream).map(({ room }) => room);
const statusOf = (stream: EventStream) => dataOf<FeedStatus>(stream, 'status').at(-1);

/** The updates of a document that is being edited. */
function writing(...words: string[]): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const word of words) doc.getText('text').insert(0, word);
  return updates;
}
const base64 = (update: Uint8Array) => Buffer.from(update).toString('base64');

/** The bodies of all requests that a server was sent to be active or silent, the newest last. */
const toldTo = ({ requests }: ScriptedServer): { active: boolean; updates?: boolean }[] =>
  requests.filter(({ method }) => method === 'PUT').map(({ body }) => JSON.parse(body));

async function startWithRedis() {
  const redis = owns(await startRedis(), (it) => it.stop());
  const double = await startDouble();
  const service = await startStaged([double], { ...calm, REDIS_URL: redis.url });
  return { redis, double, service };
}

test('with Redis every update of every room is sent, and no server is asked for updates', async () => {
  const { redis, double, service } = await startWithRedis();
  const told = double.requests.length;
  const streams = await Promise.all(
    ['', '?prefix=b', '?as=updates', '?prefix=b&as=updates'].map((query) =>
      watchUpdates(service, query),
    ),
  );
  const [all, some, whole, part] = streams as [EventStream, EventStream, EventStream, EventStream];
  await eventually(async () => expect(await redis.patterns()).toBe(1));
  for (const stream of streams)
    await eventually(() => expect(statusOf(stream)).toMatchObject({ state: 'following' }));
  const [update] = writing('hello') as [Uint8Array];
  for (const channel of ['a', 'b', 'b-presence', '__proto__', 'b%20c'])
    await redis.publish(channel, update);
  await eventually(() => expect(roomsOf(all)).toEqual(['a', 'b', '__proto__', 'b%20c']));
  await eventually(() => expect(roomsOf(some)).toEqual(['b', 'b%20c']));
  await eventually(() => expect(roomsOf(part)).toEqual(['b', 'b%20c']));
  await eventually(() => expect(roomsOf(whole)).toHaveLength(4));
  expect(entriesOf(all)[0]).toMatchObject({
    source: 'redis',
    bytes: update.length,
    isExamined: true,
    inserted: 5,
    types: ['text'],
  });
  expect(entriesOf(all)[0]).not.toHaveProperty('update');
  expect(entriesOf(whole).map((entry) => entry.update)).toEqual(Array(4).fill(base64(update)));
  expect(double.requests.length).toBe(told);
  for (const stream of streams) await stream.close();
  await eventually(async () => expect(await redis.patterns()).toBe(0));
});

test('updates over the limit are dropped, counted and reported; garbage is counted; large updates are not read', async () => {
  const { redis, service } = await startWithRedis();
  const stream = await watchUpdates(service);
  const elsewhere = await watchUpdates(service, '?prefix=elsewhere');
  await eventually(async () => expect(await redis.patterns()).toBe(1));
  const [small] = writing('x') as [Uint8Array];
  const [large] = writing('x'.repeat(30_000)) as [Uint8Array];
  await redis.publish('r', large);
  await redis.publish('r', Uint8Array.of(255, 255));
  await eventually(() => expect(statusOf(stream)).toMatchObject({ garbage: 1 }));
  expect(entriesOf(stream)).toMatchObject([{ bytes: large.length, isExamined: false }]);
  // What Yjs takes is an update, if it cannot be described here.
  const deep = nested(600);
  await redis.publish('r', deep);
  await eventually(() => expect(entriesOf(stream)).toHaveLength(2));
  expect(entriesOf(stream)[1]).toMatchObject({ bytes: deep.length, isExamined: false });
  expect(statusOf(stream)).toMatchObject({ garbage: 1 });
  const published = 9000;
  for (let i = 0; i < published; i += 3000)
    await Promise.all(Array.from({ length: 3000 }, () => redis.publish('r', small)));
  await eventually(() => {
    const dropped = statusOf(stream)?.dropped ?? 0;
    expect(dropped).toBeGreaterThan(0);
    expect(dropped + entriesOf(stream).length).toBe(published + 2);
  });
  const said = dataOf(stream, 'status').length;
  await redis.publish('elsewhere', small);
  await eventually(() => expect(roomsOf(elsewhere)).toEqual(['elsewhere']));
  expect(dataOf(stream, 'status').length).toBeLessThanOrEqual(said + 1);
});

test('messages of other programs on a shared Redis displace no updates, and are counted apart', async () => {
  // Channels that share a slot of a hash table are counted as one. With this seed none of these do.
  const random = jest.spyOn(Math, 'random').mockReturnValue(0.5);
  const { redis, service } = await startWithRedis();
  random.mockRestore();
  const all = await watchUpdates(service);
  const ours = await watchUpdates(service, '?prefix=ours/');
  const busy = await watchUpdates(service, '?prefix=busy');
  for (const stream of [all, ours, busy])
    await eventually(() => expect(statusOf(stream)?.state).toBe('following'));
  const [small] = writing('x') as [Uint8Array];
  // A program that has nothing to do with Yjs, on so many channels, and a room that is busier than the bound.
  const foreign = 6000;
  const updates = 6000;
  const flood = Array.from({ length: foreign }, (_, i) =>
    redis.publish(`job:${i % 50}`, JSON.stringify({ job: i })),
  );
  flood.push(...Array.from({ length: updates }, () => redis.publish('busy', small)));
  const rooms = Array.from({ length: 100 }, (_, i) => `ours/${i}`);
  for (const room of rooms) flood.push(redis.publish(room, small));
  await Promise.all(flood);
  await eventually(() => expect(roomsOf(ours)).toEqual(rooms));
  expect(statusOf(ours)).toMatchObject({ dropped: 0, garbage: 0, foreign: 0 });
  await eventually(() => {
    const { dropped = 0 } = statusOf(busy) ?? {};
    expect(entriesOf(busy).length + dropped).toBe(updates);
  });
  expect(statusOf(busy)).toMatchObject({ garbage: 0, foreign: 0 });
  await eventually(() => expect(statusOf(all)).toMatchObject({ foreign, garbage: foreign }));
  // What the program publishes took little of the bound of those who watch everything.
  expect(roomsOf(all).filter((room) => room === 'busy').length).toBeGreaterThan(1500);
});

test('a viewer of an already watched prefix, or of all rooms, is never refused', async () => {
  const { service } = await startWithRedis();
  for (let i = 0; i < 64; i += 1) await watchUpdates(service, `?prefix=${i}-`);
  for (const query of ['', '?prefix=7-', '?as=updates&prefix=7-']) {
    const stream = await watchUpdates(service, query);
    await eventually(() => expect(statusOf(stream)).toBeDefined());
  }
  const refused = await watchUpdates(service, '?prefix=other');
  await refused.ended;
  expect(statusOf(refused)).toBeUndefined();
});

const statesOf = (stream: EventStream) => [
  ...new Set(dataOf<FeedStatus>(stream, 'status').map(({ state }) => state)),
];
const startAt = async (redisUrl: string) =>
  startStaged([await startDouble()], { ...calm, REDIS_URL: redisUrl });

test('it is connecting until Redis confirms the subscription', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  // It accepts connections, and says nothing on them.
  redis.suspend();
  const service = await startAt(redis.url);
  const stream = await watchUpdates(service);
  await eventually(() => expect(statesOf(stream)).toEqual(['connecting']));
  redis.resume();
  await eventually(() => expect(statesOf(stream)).toEqual(['connecting', 'following']));
  await stream.close();
  await eventually(async () => expect(await redis.patterns()).toBe(0));
  // The state for earlier viewers does not hold for the next one.
  redis.suspend();
  const next = await watchUpdates(service);
  await eventually(() => expect(statesOf(next)).toEqual(['connecting']));
  redis.resume();
  await eventually(() => expect(statusOf(next)?.state).toBe('following'));
});

test('it is lost while no Redis is listening', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  await redis.stop();
  const stream = await watchUpdates(await startAt(redis.url));
  await eventually(() => expect(statesOf(stream)).toEqual(['connecting', 'lost']));
  await redis.restart();
  await eventually(() => expect(statusOf(stream)?.state).toBe('following'));
});

test('it is refused with a wrong password or without permission, until that is fixed', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  const allow = (...rules: string[]) => redis.call('ACL', 'SETUSER', 'us', 'on', ...rules);
  await allow('>right', '+@all', 'resetchannels');
  const urlWith = (password: string) => redis.url.replace('//', `//us:${password}@`);
  const withWrong = await watchUpdates(await startAt(urlWith('wrong')));
  const without = await watchUpdates(await startAt(urlWith('right')));
  for (const stream of [withWrong, without])
    await eventually(() => expect(statesOf(stream)).toEqual(['connecting', 'refused']));
  await allow('>wrong', 'allchannels');
  for (const stream of [withWrong, without])
    await eventually(() => expect(statusOf(stream)?.state).toBe('following'));
  const [update] = writing('hello') as [Uint8Array];
  await redis.publish('a', update);
  for (const stream of [withWrong, without])
    await eventually(() => expect(roomsOf(stream)).toEqual(['a']));
});

test('it is lost when the connection to Redis breaks', async () => {
  const { redis, service } = await startWithRedis();
  const stream = await watchUpdates(service);
  await eventually(async () => expect(await redis.patterns()).toBe(1));
  await redis.stop();
  await eventually(() => expect(statusOf(stream)?.state).toBe('lost'));
  await redis.restart();
  await eventually(() => expect(statusOf(stream)?.state).toBe('following'));
});

test('invalid parameters are refused', async () => {
  const { service } = await startWithRedis();
  for (const query of ['as=x', 'prefix=a&prefix=b']) {
    const { status } = await fetch(`${service.url}/api/updates?${query}`);
    expect([query, status]).toEqual([query, 400]);
  }
});

test('without Redis servers post updates only while there is a viewer of them', async () => {
  const double = await startDouble();
  const service = await startStaged([double], { ...calm, LINGER_MS: '60000' });
  await watchMaps(service);
  await untilState(service, 'watched');
  await eventually(() => expect(double.active).toBe(true));
  for (const wish of toldTo(double)) expect(wish).not.toHaveProperty('updates');
  const stream = await watchUpdates(service);
  const second = await watchUpdates(service, '?as=updates&prefix=r');
  await eventually(() => expect(toldTo(double).at(-1)).toMatchObject({ updates: true }));
  // Most servers pass over the wish: that it was sent proves nothing.
  expect(statesOf(stream)).toEqual(['asked']);
  const [first, next] = writing('one', 'two') as [Uint8Array, Uint8Array];
  const url = double.eventsUrl ?? '';
  const told = toldTo(double).length;
  expect((await post(url, JSON.stringify({ room: 'r', update: base64(first) }))).status).toBe(204);
  const both = [
    { room: 'r', update: base64(next) },
    { room: 'q', add: 1 },
  ];
  expect((await post(url, JSON.stringify(both))).status).toBe(204);
  expect((await post(url, JSON.stringify({ room: 'r', update: '/////w==' }))).status).toBe(204);
  await eventually(() => expect(entriesOf(stream)).toHaveLength(2));
  expect(statesOf(stream)).toEqual(['asked', 'following']);
  expect(entriesOf(stream)).toMatchObject([{ source: 'servers', inserted: 3 }, { inserted: 3 }]);
  await eventually(() =>
    expect(entriesOf(second).map(({ update }) => update)).toEqual([base64(first), base64(next)]),
  );
  await eventually(() => expect(statusOf(stream)).toMatchObject({ garbage: 1 }));
  await second.close();
  await stream.close();
  await eventually(() => expect(toldTo(double).length).toBeGreaterThan(told));
  await eventually(() => expect(toldTo(double).at(-1)).not.toHaveProperty('updates'));
  expect(toldTo(double).at(-1)).toMatchObject({ active: true });
});

test('real servers post each update of their own connections once', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  const servers = [
    await startReal({ redisUrl: redis.url }),
    await startReal({ redisUrl: redis.url }),
  ];
  // The service knows nothing of their Redis.
  const service = await startStaged(servers, calm);
  const editors = await Promise.all(servers.map((server) => edit(server, 'r')));
  const stream = await watchUpdates(service, '?as=updates');
  await untilState(service, 'watched');
  // Client and clock of every update that came.
  const seen = () =>
    entriesOf(stream).flatMap(({ update }) =>
      [...Y.parseUpdateMeta(Buffer.from(update ?? '', 'base64')).from].map(([client, clock]) => ({
        client,
        clock,
      })),
    );
  // Until a word of each comes by, the servers have not heard of the wish.
  await eventually(() => {
    for (const editor of editors) editor.type('.');
    const clients = new Set(seen().map(({ client }) => client));
    expect(clients).toEqual(new Set(editors.map(({ doc }) => doc.clientID)));
  });
  const typed = (editor: Editor, words: string) => {
    const { clientID: client, store } = editor.doc;
    const clock = Y.getState(store, client);
    editor.type(words);
    return { client, clock };
  };
  const expected = Array.from({ length: 50 }, (_, i) => typed(nth(editors, i % 2), `${i} `));
  const seenOf = (all: typeof expected) =>
    seen().filter((each) =>
      all.some(({ client, clock }) => client === each.client && clock === each.clock),
    );
  const sorted = (all: typeof expected) =>
    all.toSorted((one, other) => one.client - other.client || one.clock - other.clock);
  await eventually(() => expect(sorted(seenOf(expected))).toEqual(sorted(expected)));
  // Larger than may be posted: the next one comes all the same.
  const tooLarge = typed(nth(editors, 0), 'x'.repeat(600_000));
  const next = typed(nth(editors, 0), 'end');
  await eventually(() => expect(seenOf([tooLarge, next])).toEqual([next]));
  await stream.close();
  await untilState(service, 'inactive');
});
