import { beforeEach, expect, test } from '@jest/globals';
import type { Editor } from '../../../server/demo/editors.js';
import { type ServerProcess, startServerProcess } from '../../../server/demo/pubSubFleet.js';
import type { Service } from '../../../server/service.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { nth } from '../../support/fleet.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import { calm, owns, startStaged } from '../../support/stage.js';
import {
  type Consumer,
  consume,
  contentOf,
  docOn,
  documentOf,
  edit,
  stateOn,
  statusOf,
  untilStanding,
  watchRoom,
} from './support/rooms.js';

const room = 'r';

let redis: RedisServer;
let servers: ServerProcess[];
let service: Service;
beforeEach(async () => {
  redis = owns(await startRedis(), (it) => it.stop());
  const start = () => startServerProcess({ redisUrl: redis.url, forgetAfterMs: 50 });
  servers = await Promise.all([start(), start(), start()]);
  for (const server of servers) owns(server, (it) => it.kill());
  service = await startStaged(servers, { ...calm, REDIS_URL: redis.url });
});

/** A second's words: so many are typed while the test waits for something else. A busy machine must not drown. */
const ahead = 100;

/** Types into all editors in turn until it is stopped. */
function keepTyping(editors: readonly Editor[]) {
  let [typed, most] = [0, ahead];
  const timer = setInterval(() => {
    if (typed >= most) return;
    nth(editors, typed % editors.length).type(`${typed} `);
    typed += 1;
  }, 10);
  const typing = {
    /** Until so many more words have been typed. */
    until: async (words: number) => {
      const goal = typed + words;
      most = goal + ahead;
      await eventually(() => expect(typed).toBeGreaterThanOrEqual(goal));
    },
    stop: () => clearInterval(timer),
  };
  return owns(typing, (it) => it.stop());
}

/** Resolves when editors, servers, the JSON and the consumer are all equal. */
async function untilEqual(
  editors: readonly Editor[],
  holders: readonly ServerProcess[],
  viewer: EventStream,
  consumer: Consumer,
) {
  await eventually(async () => {
    const expected = contentOf(nth(editors, 0).doc);
    for (const { doc } of editors) expect(contentOf(doc)).toEqual(expected);
    for (const server of holders) expect(contentOf(await docOn(server, room))).toEqual(expected);
    expect(contentOf(consumer.catchUp())).toEqual(expected);
    expect(documentOf(viewer).text).toEqual({ type: 'text', value: expected.text });
  });
}

async function startAll(count = 6) {
  const editors = await Promise.all(
    Array.from({ length: count }, (_, i) => edit(nth(servers, i % 3), room, `editor ${i}`)),
  );
  const [viewer, consumer] = [await watchRoom(service, room), await consume(service, room)];
  await untilStanding(viewer, 'live');
  return { editors, viewer, consumer };
}

test('JSON, updates and every server are equal after ten clients have typed at once', async () => {
  const { editors, viewer, consumer } = await startAll(10);
  const typing = keepTyping(editors);
  // One every ten milliseconds.
  await typing.until(100);
  typing.stop();
  await untilEqual(editors, servers, viewer, consumer);
  await eventually(() =>
    expect(statusOf(viewer)).toMatchObject({ state: 'live', source: 'redis', diverged: [] }),
  );
});

test('they are equal after a restart of Redis', async () => {
  const { editors, viewer, consumer } = await startAll();
  const typing = keepTyping(editors);
  await typing.until(50);
  await redis.stop();
  await untilStanding(viewer, 'polling');
  await eventually(() => expect(statusOf(viewer).source).toBe('poll'));
  await typing.until(50);
  await redis.restart();
  await untilStanding(viewer, 'live');
  await typing.until(50);
  typing.stop();
  await untilEqual(editors, servers, viewer, consumer);
  await eventually(() => expect(statusOf(viewer).diverged).toEqual([]));
});

test('they are equal after a server was killed', async () => {
  const { editors, viewer, consumer } = await startAll();
  const typing = keepTyping(editors);
  await typing.until(50);
  await nth(servers, 2).kill();
  await typing.until(50);
  typing.stop();
  const [first, second, , fourth, fifth] = editors as [Editor, Editor, Editor, Editor, Editor];
  // Those of the dead server have what they typed for themselves.
  await untilEqual([first, second, fourth, fifth], servers.slice(0, 2), viewer, consumer);
});

test('they are equal after the room moved to another server', async () => {
  const [from, to] = [nth(servers, 0), nth(servers, 1)];
  const leaving = await edit(from, room);
  leaving.type('written here. ');
  const [viewer, consumer] = [await watchRoom(service, room), await consume(service, room)];
  await untilStanding(viewer, 'live');
  await eventually(() => expect(statusOf(viewer).servers).toEqual([from.id]));
  const coming = await edit(to, room);
  await eventually(() => expect(coming.text.toString()).toBe('written here. '));
  await leaving.leave();
  coming.type('and there.');
  await untilEqual([coming], [to], viewer, consumer);
  await eventually(() => expect(statusOf(viewer).servers).toEqual([to.id]));
});

test('a room that no server holds is waiting until somebody enters', async () => {
  const [viewer, consumer] = [await watchRoom(service, room), await consume(service, room)];
  await untilStanding(viewer, 'waiting');
  const editor = await edit(nth(servers, 1), room);
  editor.type('hello');
  await untilEqual([editor], [nth(servers, 1)], viewer, consumer);
  await untilStanding(viewer, 'live');
  await editor.leave();
  await untilStanding(viewer, 'gone');
  expect(JSON.stringify(documentOf(viewer))).toContain('hello');
});

test('watching is invisible: no connection, no awareness, no change of state', async () => {
  const editor = await edit(nth(servers, 0), room, 'the only one');
  editor.type('mine');
  await eventually(async () => {
    expect(contentOf(await docOn(nth(servers, 0), room)).text).toBe('mine');
  });
  const truth = () => Promise.all(servers.map((server) => server.connections()));
  const states = () => Promise.all(servers.map((server) => stateOn(server, room)));
  const [connections, before] = [await truth(), await states()];
  const clients = () => [...editor.provider.awareness.getStates().keys()];
  const viewers = [await watchRoom(service, room), await consume(service, room)];
  for (const viewer of [await watchRoom(service, 'nobody is here'), nth(viewers, 0) as EventStream])
    await untilStanding(viewer, 'live', 'waiting');
  // Several rounds, each of which asks the servers again.
  const waiting = await watchRoom(service, 'nobody is here either');
  await untilStanding(waiting, 'waiting');
  expect(await truth()).toEqual(connections);
  expect(await states()).toEqual(before);
  expect(clients()).toEqual([editor.doc.clientID]);
});
