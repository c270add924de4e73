import { describe, expect, test } from '@jest/globals';
import { DivergenceWatch } from '../../../server/rooms/watching/divergenceWatch.js';
import type { Divergence } from '../../../server/wire/divergence.js';
import type { WatchedRoom } from '../../../server/wire/watchedRoom.js';
import { eventually } from '../../support/eventually.js';
import { nth, startReal } from '../../support/fleet.js';
import { startRedis } from '../../support/redisServer.js';
import { calm, getJson, owns, startStaged } from '../../support/stage.js';
import { startDocServer } from './support/docServer.js';
import { edit, type RoomStatus, statusOf, untilStanding, watchRoom } from './support/rooms.js';

const missing = (server: string, from: number, to = from + 5): Divergence => ({
  server,
  structs: [{ client: 1, from, to }],
  missingStructs: to - from,
  deletions: [],
  missingDeletions: 0,
  conflicts: [],
  conflictingStructs: 0,
});

describe('DivergenceWatch', () => {
  test('flags a server that still misses the same a while later, until it is over', () => {
    let nowMs = 0;
    const watch = new DivergenceWatch(() => nowMs);
    expect(watch.noteRound([missing('a', 0)])).toBe(false);
    nowMs = 1999;
    expect(watch.noteRound([missing('a', 2)])).toBe(false);
    nowMs = 2000;
    expect(watch.noteRound([missing('a', 0, 9), missing('b', 3)])).toBe(true);
    expect(watch.flagged).toEqual([missing('a', 0, 9)]);
    expect(watch.noteRound([missing('a', 0, 9)])).toBe(false);
    expect(watch.noteRound([])).toBe(true);
    expect(watch.flagged).toEqual([]);
    nowMs = 9000;
    expect(watch.noteRound([missing('a', 0)])).toBe(false);
  });

  test('never flags servers that miss other clocks each time', () => {
    let nowMs = 0;
    const watch = new DivergenceWatch(() => nowMs);
    for (let round = 0; round < 100; round += 1) {
      nowMs += 1000;
      expect(watch.noteRound([missing('a', round * 5), missing('b', round * 5 + 2)])).toBe(false);
    }
  });

  test('flags a server that misses only deletions', () => {
    let nowMs = 0;
    const watch = new DivergenceWatch(() => nowMs);
    const { structs, ...rest } = missing('a', 0);
    const deletion = { ...rest, structs: [], missingStructs: 0, deletions: structs };
    watch.noteRound([deletion]);
    nowMs = 5000;
    expect(watch.noteRound([deletion])).toBe(true);
  });
});

test("servers that do not get each other's updates are flagged, with what each misses", async () => {
  const servers = [await startReal(), await startReal()];
  const service = await startStaged(servers, calm);
  const editors = await Promise.all(servers.map((server) => edit(server, 'r')));
  nth(editors, 0).type('only here');
  nth(editors, 1).type('and there');
  nth(editors, 1).type('!');
  const viewer = await watchRoom(service, 'r');
  const expected = [
    { server: nth(servers, 0).id, missingStructs: 10, missingDeletions: 0 },
    { server: nth(servers, 1).id, missingStructs: 9, missingDeletions: 0 },
  ].sort((a, b) => (a.server < b.server ? -1 : 1));
  await eventually(() => expect(statusOf(viewer).diverged).toMatchObject(expected));
  for (const path of ['servers', 'log']) {
    const { diverged } = await getJson<RoomStatus>(`${service.url}/api/rooms/r/${path}`);
    expect(diverged).toMatchObject(expected);
  }
  const watched = await getJson<WatchedRoom[]>(`${service.url}/api/watched`);
  expect(watched).toEqual([
    expect.objectContaining({
      room: 'r',
      viewers: 1,
      diverged: expected.map(({ server }) => server),
    }),
  ]);
  // This room has no viewer, so nothing is known about it.
  await edit(nth(servers, 0), 'unwatched');
  const other = await getJson<object>(`${service.url}/api/rooms/unwatched/servers`);
  expect(other).not.toHaveProperty('diverged');
});

// Polled, since the service follows another Redis: the harder case, for it hears of no update.
test("servers that get each other's updates are never flagged, however much is typed", async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  const servers = [
    await startReal({ redisUrl: redis.url }),
    await startReal({ redisUrl: redis.url }),
  ];
  const another = owns(await startRedis(), (it) => it.stop());
  const service = await startStaged(servers, { ...calm, REDIS_URL: another.url });
  const editors = await Promise.all(servers.map((server) => edit(server, 'r')));
  const viewer = await watchRoom(service, 'r');
  const typing = setInterval(() => {
    for (const editor of editors) editor.type('word ');
  }, 5);
  owns(typing, clearInterval);
  await untilStanding(viewer, 'polling');
  const rounds = () => viewer.messages.filter(({ event }) => event === 'state').length;
  await eventually(() => expect(rounds()).toBeGreaterThan(7));
  const told = viewer.messages.filter(({ event }) => event === 'room');
  for (const { data } of told) expect(JSON.parse(data).diverged).toEqual([]);
  expect(statusOf(viewer).servers).toHaveLength(2);
});

test('servers with different elements under the same client and clocks are flagged, though none misses any', async () => {
  const servers = [await startDocServer(), await startDocServer()];
  for (const [i, server] of servers.entries()) {
    const doc = server.doc('r');
    // As programs do that choose the id of a client by themselves.
    doc.clientID = 1;
    doc.getText('text').insert(0, i === 0 ? 'hello' : 'world');
  }
  const service = await startStaged(servers, calm);
  const viewer = await watchRoom(service, 'r');
  const conflict = {
    conflicts: [{ client: 1, from: 0, to: 5 }],
    conflictingStructs: 5,
    missingStructs: 0,
    missingDeletions: 0,
  };
  await eventually(() => expect(statusOf(viewer).diverged).toMatchObject([conflict]));
  for (const path of ['servers', 'log']) {
    const { diverged } = await getJson<RoomStatus>(`${service.url}/api/rooms/r/${path}`);
    expect(diverged).toMatchObject([conflict]);
  }
});
