import { beforeEach, expect, test } from '@jest/globals';
import * as Y from 'yjs';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { nth } from '../../support/fleet.js';
import { startRedis } from '../../support/redisServer.js';
import {
  calm,
  getJson,
  owns,
  patient,
  post,
  startStaged,
  stopStaged,
  untilShown,
  watch,
} from '../../support/stage.js';
import { HeapClock } from '../../unit/machines/heapClock.js';
import { awarenessUpdate, framesOf, peopleOf } from './support/awareness.js';
import { type DocServer, startDocServer } from './support/docServer.js';
import {
  consume,
  contentOf,
  dataOf,
  documentOf,
  statusOf,
  untilStanding,
  watchRoom,
} from './support/rooms.js';

const room = 'r';
const lingerMs = 10_000;

/** Stands still: the machines check, poll, pause and renew nothing unless a test lets time pass. */
let clock: HeapClock;
let holder: DocServer;
let other: DocServer;
beforeEach(async () => {
  clock = new HeapClock();
  const capabilities = ['names', 'rooms'];
  holder = await startDocServer({ capabilities });
  other = await startDocServer({ capabilities });
});

const start = (env: Record<string, string> = {}, servers = [holder, other]): Promise<Service> =>
  startStaged(servers, { ...calm, ...patient, LINGER_MS: `${lingerMs}`, ...env }, { clock });

/** Somebody types in the room on this server. */
const type = (server: DocServer, words: string, name = room) =>
  server.doc(name).getText('text').insert(0, words);

const asked = (server: DocServer) => server.asked.get(room) ?? 0;
const textIn = (stream: Parameters<typeof documentOf>[0]) => documentOf(stream).text?.value;

/** A service whose counts are watched, and say that the holder has a connection in the room. */
async function startCounting(env: Record<string, string> = {}, servers = [holder, other]) {
  type(holder, 'one');
  const service = await start(env, servers);
  const counts = await watch(service);
  await eventually(async () =>
    expect((await getJson<{ live: number }>(`${service.url}/api/state`)).live).toBe(servers.length),
  );
  await holder.announce(room);
  await untilShown(counts, { [room]: 1 });
  return { service, counts };
}

async function startLive(env: Record<string, string> = {}, servers = [holder, other]) {
  const { service, counts } = await startCounting(env, servers);
  const viewer = await watchRoom(service, room);
  await untilStanding(viewer, 'live');
  return { service, counts, viewer };
}

/** An update by somebody who is not in the room. */
function encodedText(words: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, words);
  return Y.encodeStateAsUpdate(doc);
}

/** Lets pauses pass until the room is live by posts. */
const untilLive = (viewer: Parameters<typeof statusOf>[0]) =>
  eventually(() => {
    clock.advance(250);
    expect(statusOf(viewer)).toMatchObject({ state: 'live', source: 'posts' });
  });

/** Resolves when the service has the answers that servers gave before: a later request is answered too. */
async function untilAnswered(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await (await fetch(`http://${holder.id}/health`)).text();
}

/** Resolves when a server has this many rooms in its list, and the service knows it. */
async function untilListed(lists: readonly string[][], size: number): Promise<void> {
  await eventually(() => expect(lists.at(-1)).toHaveLength(size));
  await untilAnswered();
}

test('a room is live by posts of its server, which is asked for it once', async () => {
  const { service } = await startCounting();
  const told = holder.instructions + other.instructions;
  const [viewer, consumer] = [await watchRoom(service, room), await consume(service, room)];
  await untilStanding(viewer, 'live');
  expect(statusOf(viewer)).toMatchObject({
    source: 'posts',
    redis: false,
    channel: 'subscribed',
    presence: 'subscribed',
    servers: [holder.id],
  });
  for (let i = 0; i < 20; i += 1) type(holder, `${i} `);
  await eventually(() => expect(textIn(viewer)).toBe(contentOf(holder.doc(room)).text));
  await eventually(() =>
    expect(contentOf(consumer.catchUp())).toEqual(contentOf(holder.doc(room))),
  );
  expect(statusOf(viewer)).toMatchObject({ state: 'live', source: 'posts', channel: 'followed' });
  expect([asked(holder), holder.lists]).toEqual([1, [[room]]]);
  // Nobody else is asked or told anything, and nobody is asked for a snapshot.
  expect([asked(other), other.lists]).toEqual([0, []]);
  expect(holder.instructions + other.instructions).toBe(told);
});

test('without counts the servers are asked who holds it, and only that one is told to post it', async () => {
  type(holder, 'one');
  const service = await start();
  const viewer = await watchRoom(service, room);
  await untilStanding(viewer, 'polling');
  await untilListed(holder.lists, 1);
  clock.advance(250);
  await untilStanding(viewer, 'live');
  type(holder, 'two ');
  await eventually(() => expect(textIn(viewer)).toBe('two one'));
  expect([asked(holder), asked(other), other.lists]).toEqual([2, 1, []]);
  expect(holder.instructions).toBe(1);
});

test('people and log entries come from the posts', async () => {
  const { service, viewer } = await startLive();
  const awareness = (...said: Parameters<typeof awarenessUpdate>) => ({
    room,
    awareness: Buffer.from(awarenessUpdate(...said)).toString('base64'),
  });
  await holder.postContent([
    awareness([7, 1, { name: 'Ada' }]),
    awareness([8, 1, { name: 'Bob' }]),
  ]);
  const people = () => [...peopleOf(framesOf(viewer)).values()].map(({ state }) => state);
  await eventually(() => expect(people()).toEqual([{ name: 'Ada' }, { name: 'Bob' }]));
  await holder.postContent(awareness([7, 2, null]));
  await eventually(() => expect(people()).toEqual([{ name: 'Bob' }]));
  expect(framesOf(viewer).at(-1)?.[1].since).not.toBeNull();
  type(holder, 'two ');
  await eventually(() => expect(dataOf(viewer, 'update')).toHaveLength(1));
  expect(await getJson(`${service.url}/api/room/log?room=${room}`)).toMatchObject({
    watched: true,
    entries: [{ number: 1, inserted: 4, types: ['text'] }],
  });
});

test('what is typed while the state is on its way is not missed', async () => {
  const { service } = await startCounting();
  holder.shut();
  const viewer = await watchRoom(service, room);
  await eventually(() => expect(asked(holder)).toBe(1));
  // The list is confirmed before the state is asked for.
  expect(holder.lists).toEqual([[room]]);
  type(holder, 'two ');
  holder.open();
  await eventually(() => expect(textIn(viewer)).toBe('two one'));
  expect(asked(holder)).toBe(1);
});

test('after a loss the state is fetched again, once', async () => {
  const { viewer } = await startLive();
  holder.isPosting = false;
  type(holder, 'two ');
  expect(
    await holder.postContent([
      { room, lost: true },
      { room, lost: true },
    ]),
  ).toBe(204);
  clock.advance(250);
  await eventually(() => expect(textIn(viewer)).toBe('two one'));
  expect([asked(holder), statusOf(viewer).state]).toEqual([2, 'live']);
});

test('a refused post counts as a loss', async () => {
  const { viewer } = await startLive({ MAX_BODY_BYTES: '1024' });
  holder.isPosting = false;
  type(holder, 'two ');
  expect(await holder.postContent({ room, update: 'AAAA'.repeat(1000) })).toBe(413);
  clock.advance(250);
  await eventually(() => expect(textIn(viewer)).toBe('two one'));
});

test('a room whose server does not take the list is polled until it does', async () => {
  holder.listStatus = 500;
  const { service } = await startCounting();
  const viewer = await watchRoom(service, room);
  await untilStanding(viewer, 'polling');
  expect(statusOf(viewer)).toMatchObject({ source: 'poll', channel: 'lost', presence: 'lost' });
  type(holder, 'two ');
  clock.advance(1000);
  await eventually(() => expect(textIn(viewer)).toBe('two one'));
  holder.listStatus = 200;
  await untilLive(viewer);
});

test.each([
  ['no agent', undefined],
  ['an agent that cannot post rooms', ['names']],
])('a room on a server with %s is polled, and that server is told nothing', async (_, able) => {
  holder = await startDocServer(able && { capabilities: able });
  const { service } = await startCounting();
  const viewer = await watchRoom(service, room);
  await untilStanding(viewer, 'polling');
  expect(statusOf(viewer)).toMatchObject({ source: 'poll', channel: 'none', presence: 'none' });
  for (const words of ['two ', 'three ']) {
    type(holder, words);
    clock.advance(1000);
    await eventually(() => expect(textIn(viewer)).toContain(words));
  }
  expect([holder.lists, other.lists, statusOf(viewer).state]).toEqual([[], [], 'polling']);
});

test('a server that gets the room later is told to post it, and its state is read', async () => {
  const { viewer, counts } = await startLive();
  type(other, 'elsewhere ');
  await other.announce(room);
  await untilShown(counts, { [room]: 2 });
  await untilListed(other.lists, 1);
  clock.advance(250);
  await eventually(() => {
    expect(statusOf(viewer).servers.toSorted()).toEqual([holder.id, other.id].toSorted());
    expect(textIn(viewer)).toContain('elsewhere');
  });
  type(other, 'and more ');
  await eventually(() => expect(textIn(viewer)).toContain('and more'));
  expect(statusOf(viewer)).toMatchObject({ state: 'live', source: 'posts' });
  expect(dataOf<{ state: string }>(viewer, 'room').map(({ state }) => state)).not.toContain(
    'polling',
  );
});

test('a server that is seen to hold the room in a snapshot is told to post it', async () => {
  const { service, viewer, counts } = await startLive();
  type(other, 'unannounced ');
  other.snapshot = [{ [room]: 1 }];
  await other.askAtStartup(service);
  await eventually(() => {
    clock.advance(50);
    expect(counts.rooms()).toEqual({ [room]: 2 });
  });
  await untilListed(other.lists, 1);
  clock.advance(250);
  await eventually(() => expect(textIn(viewer)).toContain('unannounced'));
});

test('a room that moves to a server that cannot post it is polled', async () => {
  const old = await startDocServer();
  const { viewer } = await startLive({}, [holder, old]);
  type(old, 'old ');
  await old.announce(room);
  clock.advance(250);
  await untilStanding(viewer, 'polling');
  await eventually(() => {
    clock.advance(1000);
    expect(textIn(viewer)).toContain('old');
  });
  expect(statusOf(viewer)).toMatchObject({ source: 'poll', channel: 'none', presence: 'none' });
});

test('servers that hold different documents are reported', async () => {
  const { viewer } = await startLive();
  type(other, 'elsewhere ');
  await other.announce(room);
  await untilListed(other.lists, 1);
  await eventually(() => {
    clock.advance(250);
    expect(statusOf(viewer).servers).toHaveLength(2);
  });
  await eventually(() => {
    clock.advance(5000);
    expect(
      statusOf(viewer)
        .diverged.map(({ server }) => server)
        .toSorted(),
    ).toEqual([holder.id, other.id].toSorted());
  });
});

test('a server that has restarted is told its list again', async () => {
  const { service, viewer } = await startLive();
  holder.restart();
  type(holder, 'anew ');
  expect(holder.lists).toHaveLength(1);
  // What a renewed activation tells: another process answers there.
  await holder.askAtStartup(service);
  await eventually(() => {
    clock.advance(50);
    expect(holder.lists).toEqual([[room], [room]]);
  });
  await untilAnswered();
  clock.advance(250);
  type(holder, 'more ');
  await eventually(() => expect(textIn(viewer)).toContain('more anew'));
  await untilLive(viewer);
});

test('so is one that has restarted while nobody looks at the counts', async () => {
  type(holder, 'one');
  const service = await start();
  const viewer = await watchRoom(service, room);
  await untilLive(viewer);
  holder.restart();
  type(holder, 'anew ');
  await holder.askAtStartup(service);
  await eventually(() => expect(holder.lists).toEqual([[room], [room]]));
  await eventually(() => {
    clock.advance(250);
    expect(textIn(viewer)).toContain('anew');
  });
  type(holder, 'more ');
  await eventually(() => expect(textIn(viewer)).toContain('more anew'));
  await untilLive(viewer);
});

test('lists are renewed every 30 s', async () => {
  await startLive();
  const planned = clock.pending;
  for (let renewals = 1; renewals < 4; renewals += 1) {
    clock.advance(30_000);
    await eventually(() => expect(holder.lists).toHaveLength(renewals + 1));
    // The next one is planned when the answer has arrived.
    await eventually(() => expect(clock.pending).toBeGreaterThanOrEqual(planned));
  }
  expect(holder.lists).toEqual(Array(4).fill([room]));
});

test('viewers that come back in time change nothing, and after the last one the server is told to stop', async () => {
  const { service, viewer } = await startLive();
  await viewer.close();
  await eventually(() => expect(clock.pending).toBeGreaterThan(0));
  const again = await watchRoom(service, room);
  await untilStanding(again, 'live');
  expect([holder.lists, asked(holder)]).toEqual([[[room]], 1]);
  await again.close();
  await eventually(() => {
    clock.advance(lingerMs);
    expect(holder.lists.at(-1)).toEqual([]);
  });
  // The time that the test waits may renew the list meanwhile.
  expect(holder.lists.slice(0, -1)).toEqual(holder.lists.slice(0, -1).map(() => [room]));
  const before = asked(holder);
  type(holder, 'unseen ');
  expect(
    await holder.postContent([
      { room, lost: true },
      { room, update: 'AAA=' },
    ]),
  ).toBe(204);
  clock.advance(250);
  const later = await watchRoom(service, room);
  await untilStanding(later, 'live');
  await eventually(() => expect(textIn(later)).toBe('unseen one'));
  expect(asked(holder)).toBe(before + 1);
});

test('with the URL for watched rooms no connection can be counted', async () => {
  const { service, counts } = await startLive();
  for (const body of [
    { room, add: 1 },
    [
      { room, lost: true },
      { room, add: 5 },
    ],
  ])
    expect(await holder.postContent(body)).toBe(400);
  await holder.announce('barrier');
  await untilShown(counts, { [room]: 1, barrier: 1 });
  const refused = await post(holder.eventsUrl, JSON.stringify({ room, awareness: 'AAAA' }));
  expect(refused.status).toBe(400);
  expect(await getJson(`${service.url}/health`)).toEqual({ status: 'ok' });
});

test('a server cannot post about rooms that it was not asked for', async () => {
  type(other, 'other ', 'theirs');
  const { service, viewer } = await startLive();
  await other.announce('theirs');
  const theirs = await watchRoom(service, 'theirs');
  await untilStanding(theirs, 'live');
  const forged = { room, update: Buffer.from(encodedText('forged ')).toString('base64') };
  expect(await other.postContent([forged, { room, lost: true }])).toBe(204);
  clock.advance(250);
  type(holder, 'two ');
  await eventually(() => expect(textIn(viewer)).toBe('two one'));
  expect([asked(holder), dataOf(viewer, 'update').length]).toEqual([1, 1]);
});

test('updates of watched rooms go to viewers of all updates too', async () => {
  const { service } = await startLive();
  const all = await watch(service, '/api/updates?as=updates');
  await eventually(() => expect(holder.wantsUpdates).toBe(true));
  type(holder, 'two ');
  await eventually(() =>
    expect(dataOf<{ room: string }>(all, 'update').map((each) => each.room)).toEqual([room]),
  );
});

test('with Redis no server is told to post rooms', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  const { viewer } = await startLive({ REDIS_URL: redis.url });
  expect(statusOf(viewer)).toMatchObject({ source: 'redis', redis: true });
  expect(holder.lists).toEqual([]);
});

test('a service that was restarted tells the servers anew, and does not know the old URL', async () => {
  const { service } = await startLive();
  const before = holder.contentUrl;
  await stopStaged(service);
  expect(holder.lists.at(-1)).toEqual([]);
  const viewer = await watchRoom(await start(), room);
  await untilLive(viewer);
  const old = new URL(before);
  const now = new URL(holder.contentUrl);
  now.search = old.search;
  expect((await post(`${now}`, JSON.stringify({ room, lost: true }))).status).toBe(404);
  type(holder, 'two ');
  await eventually(() => expect(textIn(viewer)).toBe('two one'));
});

test('fifty rooms are live at a time', async () => {
  const names = Array.from({ length: 50 }, (_, i) => `room ${i}/é=?`);
  for (const name of names) type(holder, name, name);
  const service = await start();
  const counts = await watch(service);
  await eventually(async () =>
    expect((await getJson<{ live: number }>(`${service.url}/api/state`)).live).toBe(2),
  );
  await Promise.all(names.map((name) => holder.announce(name)));
  await eventually(() => expect(Object.keys(counts.rooms())).toHaveLength(50));
  const path = (name: string) => `/api/room/events?room=${encodeURIComponent(name)}`;
  const viewers = await Promise.all(names.map((name) => watch(service, path(name))));
  await Promise.all(viewers.map((viewer) => untilStanding(viewer, 'live')));
  expect(holder.lists.at(-1)).toHaveLength(50);
  for (const name of names) type(holder, 'more ', name);
  for (const [i, viewer] of viewers.entries())
    await eventually(() => expect(textIn(viewer)).toBe(`more ${nth(names, i)}`));
  expect([...holder.asked.values()]).toEqual(Array(50).fill(1));
});
