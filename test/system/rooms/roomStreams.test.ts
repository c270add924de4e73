import { connect } from 'node:net';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { pino } from 'pino';
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { readConfig } from '../../../server/config/config.js';
import { type Service, startService } from '../../../server/service.js';
import { Viewer } from '../../../server/sse/viewer.js';
import { openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import {
  calm,
  getJson,
  owns,
  startStaged,
  untilShown,
  watch,
  watchMaps,
} from '../../support/stage.js';
import { untilAdmitted } from '../../support/untilAdmitted.js';
import { type DocServer, startDocServer } from './support/docServer.js';
import {
  Consumer,
  consume,
  contentOf,
  dataOf,
  documentOf,
  statusOf,
  untilStanding,
  watchRoom,
} from './support/rooms.js';

interface Entry {
  number: number;
  bytes: number;
  clients: object[];
  inserted: number;
  deleted: number;
  types: string[];
}

let redis: RedisServer;
let server: DocServer;
beforeEach(async () => {
  redis = owns(await startRedis(), (it) => it.stop());
  server = await startDocServer();
});
afterEach(() => void jest.restoreAllMocks());

const start = (env: Record<string, string> = {}): Promise<Service> =>
  startStaged([server], { ...calm, REDIS_URL: redis.url, ...env });

/** The document of a room, whose updates are published as a pub-sub server publishes them. */
function publishing(room: string): Y.Doc {
  const doc = server.doc(room);
  doc.on('update', (update: Uint8Array) => void redis.publish(room, update));
  return doc;
}

const textIn = (stream: Parameters<typeof documentOf>[0]) => documentOf(stream).text?.value;
const logOf = async (service: Service, room: string) =>
  getJson<{ watched: boolean; garbage: number; entries: Entry[] }>(
    `${service.url}/api/rooms/${room}/log`,
  );

test('the document is sent at most once in a frame interval, however many updates there are', async () => {
  const intervalMs = 250;
  const service = await start({ FRAME_INTERVAL_MS: String(intervalMs) });
  const doc = publishing('r');
  const viewer = await watchRoom(service, 'r');
  await untilStanding(viewer, 'live');
  const [began, before] = [performance.now(), dataOf(viewer, 'state').length];
  for (let burst = 0; burst < 10; burst += 1) {
    for (let i = 0; i < 100; i += 1) doc.getText('text').insert(0, '.');
    await eventually(() => expect(dataOf(viewer, 'update').length).toBeGreaterThan(burst * 90));
  }
  await eventually(() => expect(textIn(viewer)).toBe('.'.repeat(1000)));
  const frames = dataOf(viewer, 'state').length - before;
  expect(frames).toBeLessThanOrEqual((performance.now() - began) / intervalMs + 2);
  expect(dataOf(viewer, 'update').length).toBe(1000);
});

test('kinds of root types can be named; invalid ones are refused', async () => {
  const service = await start();
  server.doc('r').getArray('a,b').insert(0, ['x']);
  const asList = await watchRoom(service, 'r', '?types=a%252Cb:array');
  const asIs = await watchRoom(service, 'r');
  await eventually(() => expect(documentOf(asList)['a,b']).toMatchObject({ type: 'array' }));
  await eventually(() => expect(documentOf(asIs)).toHaveProperty(['a,b']));
  const statusWith = async (query: string) =>
    (await fetch(`${service.url}/api/rooms/r/events?${query}`)).status;
  for (const query of ['as=x', 'types=a', 'types=a:number', 'types=:', 'as=state&as=state'])
    expect([query, await statusWith(query)]).toEqual([query, 400]);
});

test('a viewer over the limit is told to come back later', async () => {
  const service = await start({ MAX_VIEWERS: '1' });
  const viewer = await watchRoom(service, 'r');
  const refused = await openEventStream(service.url, { path: '/api/rooms/r/events' });
  await refused.ended;
  expect([refused.status, refused.messages]).toEqual([200, []]);
  await viewer.close();
  await untilAdmitted(
    () => watchRoom(service, 'r'),
    (admitted) => dataOf(admitted, 'room').length > 0,
  );
});

test('each update has an entry in the log, which exists while the room is watched', async () => {
  const service = await start();
  expect(await logOf(service, 'r')).toEqual({ id: 'r', watched: false, entries: [] });
  const doc = publishing('r');
  doc.clientID = 7;
  const viewer = await watchRoom(service, 'r');
  await untilStanding(viewer, 'waiting', 'live');
  await untilStanding(viewer, 'live');
  doc.getText('text').insert(0, 'hello');
  doc.getText('text').delete(1, 2);
  doc.getMap('map').set('a', 1);
  await eventually(() => expect(dataOf(viewer, 'update')).toHaveLength(3));
  const expected = [
    {
      number: 1,
      inserted: 5,
      deleted: 0,
      types: ['text'],
      clients: [{ client: 7, from: 0, to: 5 }],
    },
    { number: 2, inserted: 0, deleted: 2, types: ['text'], clients: [] },
    {
      number: 3,
      inserted: 1,
      deleted: 0,
      types: ['map'],
      clients: [{ client: 7, from: 5, to: 6 }],
    },
  ];
  expect(dataOf<Entry>(viewer, 'update')).toMatchObject(expected);
  for (const { bytes } of dataOf<Entry>(viewer, 'update')) expect(bytes).toBeGreaterThan(3);
  const { watched, entries } = await logOf(service, 'r');
  expect(watched).toBe(true);
  expect(entries).toMatchObject(expected.toReversed());
});

test('the people in a room are shown as they announce themselves', async () => {
  const service = await start();
  publishing('r');
  const viewer = await watchRoom(service, 'r');
  await untilStanding(viewer, 'live');
  const awareness = owns(new Awareness(new Y.Doc()), (it) => it.destroy());
  const { clientID } = awareness;
  const announce = () => redis.publish('r-presence', encodeAwarenessUpdate(awareness, [clientID]));
  const shown = () => dataOf<{ clients: object[] }>(viewer, 'awareness').at(-1)?.clients;
  awareness.setLocalState({ user: { name: 'Ada' } });
  await announce();
  await eventually(() =>
    expect(shown()).toMatchObject([{ client: clientID, state: { user: { name: 'Ada' } } }]),
  );
  const second = await watchRoom(service, 'r');
  await eventually(() => expect(dataOf(second, 'awareness')).toMatchObject([{ clients: shown() }]));
  awareness.setLocalState(null);
  await announce();
  await eventually(() => expect(shown()).toEqual([]));
});

test('garbage on the channel is counted, logged once, and does no harm', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const env = { ...calm, PORT: '0', REDIS_URL: redis.url, PUBSUB_SERVERS: server.id };
  const service = owns(await startService(readConfig(env), log), (it) => it.stop());
  const doc = publishing('r');
  const viewer = await watchRoom(service, 'r');
  await untilStanding(viewer, 'live');
  const whole = Y.encodeStateAsUpdate(new Y.Doc());
  const huge = new Uint8Array(2_000_000).fill(255);
  const garbage = [
    new Uint8Array(0),
    Uint8Array.of(255, 255, 255),
    huge,
    whole.subarray(1),
    'text',
  ];
  for (const message of garbage) await redis.publish('r', message);
  await redis.publish('r-presence', Uint8Array.of(9, 9, 9));
  doc.getText('text').insert(0, 'unharmed');
  await eventually(() => expect(textIn(viewer)).toBe('unharmed'));
  await eventually(async () => expect((await logOf(service, 'r')).garbage).toBe(6));
  expect(lines.filter((line) => line.includes('is not an update'))).toHaveLength(1);
  expect((await logOf(service, 'r')).entries).toHaveLength(1);
});

test('updates that arrive during the first round follow its state', async () => {
  const service = await start();
  // Not published: it might come late, and be followed as well.
  server.doc('r').getText('text').insert(0, 'before ');
  const doc = publishing('r');
  server.shut();
  const consumer = await consume(service, 'r');
  await eventually(() => expect(server.asked.get('r')).toBe(1));
  // Without the state the update would wait for the one before it.
  doc.getText('text').insert(7, 'after');
  await eventually(async () => expect(await redis.subscribers('r')).toBe(1));
  const second = await watchRoom(service, 'r');
  server.open();
  await eventually(() => expect(textIn(second)).toBe('before after'));
  await eventually(() => expect(contentOf(consumer.catchUp())).toEqual(contentOf(doc)));
  const events = consumer.stream.messages.map(({ event }) => event);
  expect(events.filter((event) => event === 'state' || event === 'update')).toEqual([
    'state',
    'update',
  ]);
});

test('the states of a too large room are passed on unmerged, and it has no JSON', async () => {
  const other = await startDocServer();
  const service = await startStaged([server, other], {
    ...calm,
    REDIS_URL: redis.url,
    MAX_ROOM_BYTES: '20000',
  });
  const doc = publishing('r');
  other.doc('r').getText('text').insert(0, 'y'.repeat(30_000));
  doc.getText('text').insert(0, 'x'.repeat(30_000));
  const viewer = await watchRoom(service, 'r');
  const consumer = await consume(service, 'r');
  await eventually(() => expect(statusOf(viewer)).toMatchObject({ state: 'live', tooLarge: true }));
  doc.getText('text').insert(0, 'more ');
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(other.doc('r')));
  await eventually(() => expect(contentOf(consumer.catchUp())).toEqual(contentOf(doc)));
  const states = dataOf<{ server: string }>(consumer.stream, 'state');
  expect(new Set(states.map((state) => state.server))).toEqual(new Set([server.id, other.id]));
  await eventually(() => expect(dataOf(viewer, 'update').length).toBeGreaterThan(1));
  expect(dataOf(viewer, 'state')).toEqual([]);
});

test('a watched room that grows over the limit loses its JSON', async () => {
  const service = await start({ MAX_ROOM_BYTES: '20000' });
  const doc = publishing('r');
  doc.getText('text').insert(0, 'small');
  const viewer = await watchRoom(service, 'r');
  const consumer = await consume(service, 'r');
  await eventually(() => expect(textIn(viewer)).toBe('small'));
  doc.getText('text').insert(0, 'x'.repeat(30_000));
  await eventually(() => expect(statusOf(viewer).tooLarge).toBe(true));
  await eventually(() => expect(contentOf(consumer.catchUp())).toEqual(contentOf(doc)));
  const late = await watchRoom(service, 'r');
  await eventually(() => expect(statusOf(late).tooLarge).toBe(true));
  expect(dataOf(late, 'state')).toEqual([]);
});

test('a viewer that stops reading costs at most 1 MiB and its first state', async () => {
  let most = 0;
  const send = Viewer.prototype.send;
  jest.spyOn(Viewer.prototype, 'send').mockImplementation(function (this: Viewer, frame) {
    const isSent = send.call(this, frame);
    most = Math.max(most, this.pendingBytes);
    return isSent;
  });
  const service = await start();
  const doc = publishing('r');
  const reader = await consume(service, 'r');
  await untilStanding(reader.stream, 'live');
  const { hostname, port } = new URL(service.url);
  const stalled = owns(connect(Number(port), hostname), (it) => it.destroy());
  stalled.pause().write('GET /api/rooms/r/events?as=updates HTTP/1.1\r\nHost: localhost\r\n\r\n');
  for (let i = 0; i < 300; i += 1) {
    doc.getMap('map').set('key', 'z'.repeat(50_000));
    if (i % 5 === 4)
      await eventually(() => expect(dataOf(reader.stream, 'update').length).toBe(i + 1));
  }
  expect(most).toBeGreaterThan(500_000);
  expect(most).toBeLessThan(1.2 * 1024 * 1024);
  await eventually(() => expect(contentOf(reader.catchUp())).toEqual(contentOf(doc)));
});

test('while a room of many MB is merged, counts and other rooms go on', async () => {
  const service = await start({ MAX_ROOM_BYTES: '33554432' });
  const heavy = new Y.Doc();
  // Worst case: every character is an element of its own.
  heavy.transact(() => {
    for (let i = 0; i < 120_000; i += 1) heavy.getArray('list').insert(0, [i]);
  });
  server.states.set('heavy', Y.encodeStateAsUpdate(heavy));
  const small = publishing('small');
  const [counts, other] = [await watchMaps(service), await watchRoom(service, 'small')];
  await untilStanding(other, 'live');
  const viewer = await watchRoom(service, 'heavy');
  await eventually(() => expect(server.asked.get('heavy')).toBeGreaterThan(0));
  for (let i = 1; i <= 20; i += 1) small.getText('text').insert(0, '.');
  await eventually(() => expect(textIn(other)).toBe('.'.repeat(20)));
  await server.announce('counted');
  await untilShown(counts, { counted: 1 });
  await eventually(() => expect(documentOf(viewer).list).toMatchObject({ type: 'array' }));
});

test('rooms x and x-presence are watched at the same time', async () => {
  const service = await start();
  const [x, y] = [publishing('x'), publishing('x-presence')];
  const [one, two] = [await watchRoom(service, 'x'), await watchRoom(service, 'x-presence')];
  await untilStanding(one, 'live');
  await untilStanding(two, 'live');
  const awareness = owns(new Awareness(new Y.Doc()), (it) => it.destroy());
  awareness.setLocalState({ name: 'Ada' });
  x.getText('text').insert(0, 'of x');
  y.getText('text').insert(0, 'of x-presence');
  await redis.publish('x-presence', encodeAwarenessUpdate(awareness, [awareness.clientID]));
  await eventually(() => expect([textIn(one), textIn(two)]).toEqual(['of x', 'of x-presence']));
  const clients = () => dataOf<{ clients: object[] }>(one, 'awareness').at(-1)?.clients;
  await eventually(() => expect(clients()).toMatchObject([{ state: { name: 'Ada' } }]));
  // Each is garbage to the other.
  await eventually(async () => {
    expect((await logOf(service, 'x')).garbage).toBe(1);
    expect((await logOf(service, 'x-presence')).garbage).toBe(1);
  });
});

test('without Redis rooms are polled and report it', async () => {
  const service = await startStaged([server], calm);
  const doc = server.doc('r');
  doc.getText('text').insert(0, 'one');
  const [viewer, consumer] = [await watchRoom(service, 'r'), await consume(service, 'r')];
  await eventually(() => expect(textIn(viewer)).toBe('one'));
  expect(statusOf(viewer)).toMatchObject({
    state: 'polling',
    source: 'poll',
    servers: [server.id],
  });
  doc.getText('text').insert(3, ' two');
  await eventually(() => expect(textIn(viewer)).toBe('one two'));
  await eventually(() => expect(contentOf(consumer.catchUp())).toEqual(contentOf(doc)));
  const told = dataOf(consumer.stream, 'state').length;
  const rounds = server.asked.get('r') ?? 0;
  await eventually(() => expect(server.asked.get('r')).toBeGreaterThan(rounds + 2));
  expect(dataOf(consumer.stream, 'state').length).toBe(told);
  expect(new Consumer(await watch(service, '/api/rooms/r/events?as=updates'))).toBeDefined();
});
