import { expect, test } from '@jest/globals';
import * as Y from 'yjs';
import { eventually } from '../../support/eventually.js';
import { calm, getJson, quick, startStaged } from '../../support/stage.js';
import { startLogged } from '../security/logged.js';
import { startDocServer } from './support/docServer.js';
import {
  consume,
  dataOf,
  documentOf,
  type RoomStatus,
  statusOf,
  untilStanding,
  watchRoom,
} from './support/rooms.js';

const room = 'r';

/** A server whose state for the room is cut by three bytes. */
async function startSick() {
  const sick = await startDocServer();
  sick.doc(room).getText('text').insert(0, 'nobody can read this');
  sick.states.set(room, Y.encodeStateAsUpdate(sick.doc(room)).subarray(0, -3));
  return sick;
}

test('a room with only an unreadable state is never live, has no document, and names the server and the reason', async () => {
  const sick = await startSick();
  const service = await startStaged([sick], calm);
  const viewer = await watchRoom(service, room);
  const consumer = await consume(service, room);
  await untilStanding(viewer, 'unreadable');
  const unreadable = [{ server: sick.id, reason: expect.stringContaining('not a Yjs update') }];
  expect(statusOf(viewer)).toMatchObject({ servers: [], unreadable, garbage: 0 });
  const { unreadable: logged } = await getJson<RoomStatus>(`${service.url}/api/rooms/r/log`);
  expect(logged).toEqual(unreadable);
  await untilStanding(consumer.stream, 'unreadable');
  // Two more rounds: nothing is made up meanwhile.
  const asked = sick.asked.get(room) ?? 0;
  await eventually(() => expect(sick.asked.get(room)).toBeGreaterThan(asked + 1));
  for (const { messages } of [viewer, consumer.stream]) {
    expect(messages.filter(({ event }) => event === 'state')).toEqual([]);
    expect(JSON.stringify(messages)).not.toMatch(/"live"|"polling"/);
  }
  // It is read as soon as it can be.
  sick.states.delete(room);
  await untilStanding(viewer, 'polling');
  await eventually(() => {
    expect(documentOf(viewer).text).toEqual({ type: 'text', value: 'nobody can read this' });
    expect(consumer.catchUp().getText('text').toString()).toBe('nobody can read this');
  });
  expect(statusOf(viewer)).toMatchObject({ servers: [sick.id], unreadable: [] });
});

test('with one unreadable server that server is named, and the state of the other is shown', async () => {
  const [sick, healthy] = [await startSick(), await startDocServer()];
  healthy.doc(room).getText('text').insert(0, 'healthy');
  const service = await startStaged([sick, healthy], calm);
  const viewer = await watchRoom(service, room);
  await untilStanding(viewer, 'polling');
  await eventually(() => {
    expect(documentOf(viewer).text).toEqual({ type: 'text', value: 'healthy' });
  });
  expect(statusOf(viewer)).toMatchObject({
    servers: [healthy.id],
    unreadable: [{ server: sick.id }],
    diverged: [],
    garbage: 0,
  });
});

test('an empty document is shown as empty', async () => {
  const server = await startDocServer();
  server.doc(room);
  const service = await startStaged([server], calm);
  const viewer = await watchRoom(service, room);
  await untilStanding(viewer, 'polling');
  await eventually(() => expect(documentOf(viewer)).toEqual({}));
  expect(dataOf<RoomStatus>(viewer, 'room').at(-1)).toMatchObject({ unreadable: [] });
});

test('an unreadable server is logged once with the room and the reason, and again after it recovered', async () => {
  const sick = await startSick();
  const { service, lines } = await startLogged({ ...quick, ...calm, PUBSUB_SERVERS: sick.id });
  const logged = () =>
    lines
      .map((line) => JSON.parse(line) as Record<string, string>)
      .filter(({ finding }) => finding === 'unreadable');
  const viewer = await watchRoom(service, room);
  await untilStanding(viewer, 'unreadable');
  const asked = sick.asked.get(room) ?? 0;
  await eventually(() => expect(sick.asked.get(room)).toBeGreaterThan(asked + 1));
  expect(logged()).toMatchObject([
    { room, server: sick.id, reason: expect.stringContaining('not a Yjs update') },
  ]);
  const cut = sick.states.get(room) ?? new Uint8Array();
  sick.states.delete(room);
  await untilStanding(viewer, 'polling');
  sick.states.set(room, cut);
  await untilStanding(viewer, 'unreadable');
  expect(logged()).toHaveLength(2);
});
