import { beforeEach, expect, test } from '@jest/globals';
import { joinRoom, simulateEditors } from '../../../server/demo/editors.js';
import { type PubSubServer, startPubSubServer } from '../../../server/demo/pubSubServer.js';
import { createRandom } from '../../../server/demo/random.js';
import { eventually } from '../../support/eventually.js';
import { openMuteConnection, owns } from './support.js';

let server: PubSubServer;
beforeEach(async () => {
  server = owns(await startPubSubServer(), (it) => it.close());
});

const total = () => [...server.connections().values()].reduce((sum, count) => sum + count, 0);

test('an editor counts while it is connected', async () => {
  const editor = owns(joinRoom({ serverUrl: server.url, room: 'r' }), (it) => it.leave());
  await editor.synced;
  expect(total()).toBe(1);
  await editor.leave();
  await eventually(() => expect(total()).toBe(0));
});

test('an editor that leaves at once leaves nothing', async () => {
  const editor = joinRoom({ serverUrl: server.url, room: 'r' });
  await editor.leave();
  await expect(editor.synced).rejects.toThrow('left before');
  await eventually(() => expect(total()).toBe(0));
});

test('a crowd grows, changes, and is gone when it is stopped', async () => {
  const rooms = ['a', 'b b', 'c'];
  const crowd = owns(
    simulateEditors({ servers: () => [server.url], rooms, editors: 10, stepMs: 5, seed: 7 }),
    (it) => it.stop(),
  );
  await eventually(() => expect(total()).toBeGreaterThanOrEqual(8));
  const names = [...server.connections().keys()];
  expect(['a', 'b%20b', 'c']).toEqual(expect.arrayContaining(names));
  await crowd.stop();
  expect(crowd.count()).toBe(0);
  await eventually(() => expect(total()).toBe(0));
});

test('a crowd without servers waits for one', async () => {
  let servers: string[] = [];
  const options = { servers: () => servers, rooms: ['r'], editors: 2, stepMs: 5 };
  owns(simulateEditors(options), (it) => it.stop());
  servers = [server.url];
  await eventually(() => expect(total()).toBeGreaterThan(0));
});

test('equal seeds give equal numbers', () => {
  const numbers = (seed: number) => Array.from({ length: 5 }, createRandom(seed));
  expect(numbers(3)).toEqual(numbers(3));
  expect(numbers(3)).not.toEqual(numbers(4));
  expect(numbers(3).every((number) => number >= 0 && number < 1)).toBe(true);
});

test('a connection that never answers can be closed', async () => {
  await openMuteConnection(server.port, 'r');
  await eventually(() => expect(total()).toBe(1));
  await server.close();
  expect(total()).toBe(0);
});
