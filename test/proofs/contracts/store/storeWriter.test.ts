import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { joinRoom } from '../../../../server/demo/editors.js';
import { openConnection } from '../../../../server/demo/openConnection.js';
import { startServerProcess } from '../../../../server/demo/pubSubFleet.js';
import { createClient } from '../../../../server/store/dynamodb/client.js';
import { defaultNames as tables } from '../../../../server/store/dynamodb/tables.js';
import { startEmbedded } from '../../../../server/store/embedded/embedded.js';
import { eventually } from '../../../support/eventually.js';
import { answer, type FaultyStore, hang, passTo, refuse, startFaultyStore } from './faultyStore.js';
import { collect, owns, tablesOf, withinMs } from './support.js';

const before = { ...process.env };
let store: ReturnType<typeof tablesOf>;
let client: ReturnType<typeof createClient>;
/** A proxy between the servers and the store. */
let way: FaultyStore;
let endpoint: string;

beforeEach(async () => {
  const embedded = owns(await startEmbedded({ withinMs }), (it) => it.close());
  const { clientOptions } = embedded;
  client = owns(createClient({ ...clientOptions, withinMs }), (it) => it.destroy());
  store = tablesOf(client, tables);
  endpoint = clientOptions.endpoint;
  way = await startFaultyStore(passTo(endpoint));
  // The server processes inherit these variables.
  process.env.AWS_REGION = clientOptions.region;
  process.env.AWS_ACCESS_KEY_ID = clientOptions.credentials.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = clientOptions.credentials.secretAccessKey;
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
});

const startServer = async (more: { address?: string } = {}) =>
  owns(
    await startServerProcess({
      forgetAfterMs: 100,
      store: { endpoint: way.endpoint, tables, heartbeatMs: 200, ...more },
    }),
    (it) => it.kill(),
  );
const join = async (url: string, room: string) =>
  owns(await openConnection(url, room), (it) => it.close());
const addressesOf = async (room: string) => [...((await store.rooms.get(room))?.addresses ?? [])];
const registered = async () => (await store.servers.list()).map(({ server }) => server);

describe('a pub-sub server with a store', () => {
  test('adds its address to the rooms that it holds, and removes it later; the item stays', async () => {
    const first = await startServer();
    const second = await startServer({ address: '10.0.0.4' });
    const atFirst = await join(first.url, 'a=b');
    await eventually(async () => expect(await addressesOf('a=b')).toEqual([first.id]));
    const atSecond = await join(second.url, 'a=b');
    await eventually(async () =>
      expect((await addressesOf('a=b')).sort()).toEqual(['10.0.0.4', first.id].sort()),
    );
    await atFirst.close();
    await eventually(async () => expect(await addressesOf('a=b')).toEqual(['10.0.0.4']));
    await atSecond.close();
    await eventually(async () => expect(await addressesOf('a=b')).toEqual([]));
    const { Item } = await client.send(
      new GetItemCommand({ TableName: tables.rooms, Key: { id: { S: 'a=b' } } }),
    );
    expect(Object.keys(Item ?? {}).sort()).toEqual(['createdAt', 'id', 'updatedAt']);
  });

  test('writes a row for each connection to a room that can be stored', async () => {
    const server = await startServer();
    const names = ['__proto__', '100%', '', 'x'.repeat(2049), '__proto__'];
    for (const name of names) await join(server.url, name);
    const expected = ['__proto__', '__proto__', '100%'];
    await eventually(async () => {
      const rows = await collect(store.connections.newestFirst());
      expect(rows.map(({ roomName }) => roomName).sort()).toEqual([...expected].sort());
    });
    const rows = await collect(store.connections.since(new Date(Date.now() - 60_000)));
    expect(rows.map(({ roomName }) => roomName)).toEqual(['__proto__', '100%', '__proto__']);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(3);
    expect(await addressesOf('__proto__')).toEqual([server.id]);
    expect((await store.rooms.page({ limit: 9, maxRead: 9 })).items).toHaveLength(2);
  });

  test('is registered while it runs, and removes its entries when it stops', async () => {
    const server = await startServer();
    await eventually(async () => expect(await registered()).toEqual([server.id]));
    const [{ expiresAt } = { expiresAt: 0 }] = await store.servers.list();
    await eventually(async () => {
      const [later] = await store.servers.list();
      expect(later).toMatchObject({ origin: 'registered' });
      expect(later?.expiresAt).toBeGreaterThan(expiresAt);
    });
    await join(server.url, 'r');
    await eventually(async () => expect(await addressesOf('r')).toEqual([server.id]));
    await server.stop();
    expect(await registered()).toEqual([]);
    expect(await addressesOf('r')).toEqual([]);
  });

  test('that is killed leaves a dead address, and is soon not listed', async () => {
    const server = await startServer();
    await join(server.url, 'r');
    await eventually(async () => expect(await addressesOf('r')).toEqual([server.id]));
    await server.kill();
    expect(await addressesOf('r')).toEqual([server.id]);
    await eventually(async () => expect(await registered()).toEqual([]));
  });

  test.each([
    ['hangs', hang],
    ['throttles', refuse('ProvisionedThroughputExceededException')],
    ['answers nonsense', answer('<html>')],
  ])('does not wait for a store that %s, not even to end', async (_what, fault) => {
    way.fault = fault;
    const server = await startServer();
    const ends = { end: (it: { leave(): Promise<void> }) => it.leave() };
    const one = owns(joinRoom({ serverUrl: server.url, room: 'r' }), ends.end);
    const two = owns(joinRoom({ serverUrl: server.url, room: 'r' }), ends.end);
    await Promise.all([one.synced, two.synced]);
    one.type('hello');
    await eventually(() => expect(two.text.toString()).toBe('hello'));
    for (let index = 0; index < 50; index += 1) await (await join(server.url, `r${index}`)).close();
    await eventually(() => expect(way.requests).toBeGreaterThan(2));
    await eventually(async () => expect(await server.connections()).toEqual({ r: 2 }));
    await server.stop();
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test('sends the store later what it refused', async () => {
    way.fault = refuse('InternalServerError', 500);
    const server = await startServer();
    const left = await join(server.url, 'left');
    await join(server.url, 'held');
    await left.close();
    await eventually(() => expect(way.requests).toBeGreaterThan(8));
    way.fault = passTo(endpoint);
    await eventually(async () => {
      expect(await addressesOf('held')).toEqual([server.id]);
      expect(await store.rooms.get('left')).toMatchObject({ addresses: [] });
      expect(await registered()).toEqual([server.id]);
    });
  });
});
