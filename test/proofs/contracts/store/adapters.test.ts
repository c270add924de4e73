import { PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Item } from '../../../../server/store/dynamodb/attributes.js';
import { InvalidCursor } from '../../../../server/store/store.js';
import { describeServers } from './serversContract.js';
import {
  allPages,
  type Connected,
  collect,
  owns,
  servers,
  type TestStore,
  testStore,
} from './support.js';

const hourMs = 60 * 60 * 1000;

describe.each(servers)('over $name', ({ connect }) => {
  let connected: Connected;
  let store: TestStore;

  beforeAll(async () => {
    connected = await connect();
  });
  afterAll(() => connected.end());
  beforeEach(async () => {
    store = await testStore(connected.client);
  });

  const put = (TableName: string, Item: Item) =>
    store.client.send(new PutItemCommand({ TableName, Item }));
  const putRoom = (id: string, rest: Item = {}) =>
    put(store.names.rooms, { id: { S: id }, ...rest });
  /** Writes an address as pub-sub servers do. */
  const change = (action: 'ADD' | 'DELETE', room: string, address: string) =>
    store.client.send(
      new UpdateItemCommand({
        TableName: store.names.rooms,
        Key: { id: { S: room } },
        UpdateExpression: `${action} remoteDocs :address`,
        ExpressionAttributeValues: { ':address': { SS: [address] } },
      }),
    );

  describe('a room', () => {
    test.each(
      [
        'r',
        '__proto__',
        'constructor',
        '😀',
        '%F0%9F%98%80',
        'a%20b',
        'a=b',
        '100%',
        'a/b',
        '/lead',
        'a"b',
        '<b>',
        'x/events',
        'a b\u0000\n',
        'x'.repeat(2048),
        'é'.repeat(1024),
      ].map(titled),
    )('called %j is found by its name and in pages', async (_title, room) => {
      await change('ADD', room, '10.0.0.3');
      const stored = { id: room, addresses: ['10.0.0.3'] };
      expect(await store.rooms.get(room)).toEqual(stored);
      const page = await store.rooms.page({ limit: 1, maxRead: 1 });
      expect(page.items).toEqual([stored]);
      const prefixed = await store.rooms.page({ limit: 9, maxRead: 9, prefix: room });
      expect(prefixed.items).toEqual([stored]);
      const next = await store.rooms.page({ limit: 1, maxRead: 1, ...cursorOf(page) });
      expect(next).toEqual({ items: [] });
    });

    test('without an item is unknown', async () => {
      expect(await store.rooms.get('r')).toBeUndefined();
    });

    test.each(['', 'x'.repeat(2049), 'é'.repeat(1025), '\ud83d'].map(titled))(
      'called %j cannot be stored, so no request is sent',
      async (_title, room) => {
        const asked = countRequests(store);
        expect(await store.rooms.get(room)).toBeUndefined();
        expect(asked()).toBe(0);
      },
    );

    test('has the addresses of the servers that hold it', async () => {
      await change('ADD', 'r', '10.0.0.3');
      await change('ADD', 'r', '10.0.0.4');
      expect(new Set((await store.rooms.get('r'))?.addresses)).toEqual(
        new Set(['10.0.0.3', '10.0.0.4']),
      );
      await change('DELETE', 'r', '10.0.0.3');
      expect((await store.rooms.get('r'))?.addresses).toEqual(['10.0.0.4']);
      await change('DELETE', 'r', '10.0.0.4');
      expect(await store.rooms.get('r')).toEqual({ id: 'r', addresses: [] });
    });

    test.each<[string, Item, object]>([
      ['nothing else', {}, {}],
      ['a list for a set', { remoteDocs: { L: [{ S: '10.0.0.3' }] } }, {}],
      ['text for a set', { remoteDocs: { S: '10.0.0.3' } }, {}],
      [
        'ISO times',
        { createdAt: { S: '2026-11-23T18:00:00Z' } },
        { createdAt: '2026-11-23T18:00:00.000Z' },
      ],
      [
        'times in milliseconds',
        { updatedAt: { N: '1795456800000' } },
        { updatedAt: '2026-11-23T18:00:00.000Z' },
      ],
      ['no times', { createdAt: { S: 'yesterday' }, updatedAt: { N: '1e99' } }, {}],
      ['times of other types', { createdAt: { BOOL: true }, updatedAt: { NULL: true } }, {}],
      ['a size', { bytes: { N: '1234' } }, { bytes: 1234 }],
      ['a size below zero', { bytes: { N: '-1' } }, {}],
      ['a size in text', { bytes: { S: '12' } }, {}],
    ])('with %s in its item is still read', async (_what, item, more) => {
      await putRoom('r', item);
      const stored = { id: 'r', addresses: [], ...more };
      expect(await store.rooms.get('r')).toEqual(stored);
      expect((await store.rooms.page({ limit: 5, maxRead: 5 })).items).toEqual([stored]);
      expect(await store.rooms.addresses({ maxRead: 5 })).toEqual({ items: [] });
    });
  });

  describe('pages of rooms', () => {
    const names = Array.from({ length: 25 }, (_, index) => `${index % 5 ? 'a' : 'b'}${index}`);

    beforeEach(async () => {
      await Promise.all(names.map((name) => putRoom(name, { remoteDocs: { SS: [name, 'all'] } })));
    });

    test.each([1, 4, 5, 25, 26])('of %i have every room once', async (limit) => {
      const pages = await allPages((cursor) =>
        store.rooms.page({ limit, maxRead: 100, ...cursor }),
      );
      for (const page of pages) expect(page.length).toBeLessThanOrEqual(limit);
      expect(
        pages
          .flat()
          .map(({ id }) => id)
          .sort(),
      ).toEqual([...names].sort());
    });

    test.each([1, 2, 5, 6])('of %i with a prefix have each such room once', async (limit) => {
      const pages = await allPages((cursor) =>
        store.rooms.page({ limit, maxRead: 100, prefix: 'b', ...cursor }),
      );
      for (const page of pages) expect(page.length).toBeLessThanOrEqual(limit);
      const wanted = names.filter((name) => name.startsWith('b')).sort();
      expect(
        pages
          .flat()
          .map(({ id }) => id)
          .sort(),
      ).toEqual(wanted);
    });

    test('are short rather than read more than the limit', async () => {
      const read = countItems(store);
      const pages = await allPages((cursor) =>
        store.rooms.page({ limit: 5, maxRead: 7, prefix: 'b', ...cursor }),
      );
      expect(pages.length).toBeGreaterThan(3);
      expect(pages.flat()).toHaveLength(5);
      expect(Math.max(...read())).toBeLessThanOrEqual(7);
    });

    test('are empty for a prefix without rooms', async () => {
      expect((await store.rooms.page({ limit: 5, maxRead: 100, prefix: 'c' })).items).toEqual([]);
      const tooLong = { limit: 5, maxRead: 100, prefix: 'b'.repeat(2049) };
      expect(await store.rooms.page(tooLong)).toEqual({ items: [] });
    });

    test.each(['', ' ', 'garbage', 'AAAA', '%', 'YWZ0ZXI6', 'YWZ0ZXI6cg==', '__proto__', 'é'])(
      'refuse the cursor %j',
      async (cursor) => {
        const page = store.rooms.page({ limit: 5, maxRead: 5, cursor });
        await expect(page).rejects.toThrow(InvalidCursor);
        await expect(store.rooms.addresses({ maxRead: 5, cursor })).rejects.toThrow(InvalidCursor);
      },
    );

    test('of addresses have each address once a page, and together all', async () => {
      const pages = await allPages((cursor) => store.rooms.addresses({ maxRead: 10, ...cursor }));
      expect(pages.length).toBeGreaterThanOrEqual(3);
      for (const page of pages) expect(new Set(page).size).toBe(page.length);
      expect(new Set(pages.flat())).toEqual(new Set([...names, 'all']));
    });
  });

  describe('the servers', () => {
    describeServers(() => store.servers);

    test('are all listed, whatever else is in the table', async () => {
      const soon = { N: String(Math.ceil((Date.now() + hourMs) / 1000)) };
      const origin = { S: 'registered' };
      await put(store.names.servers, { id: { S: 'no server' }, origin, expiresAt: soon });
      await put(store.names.servers, { id: { S: '10.0.0.4:1' }, origin });
      await put(store.names.servers, { id: { S: '10.0.0.5:1' }, expiresAt: soon });
      await put(store.names.servers, { id: { S: '10.0.0.6:1' }, origin, expiresAt: { S: '9e9' } });
      await put(store.names.servers, { id: { S: '10.0.0.7:1' }, origin, expiresAt: soon });
      expect((await store.servers.list()).map((item) => item.server)).toEqual(['10.0.0.7:1']);
    });
  });

  describe('connections', () => {
    /** Ages in minutes, the newest last, over several hours. */
    const minutes = [47 * 60 + 59, 47 * 60 + 1, 26 * 60, 121, 119, 61, 59, 1, 0];
    let begun: number;
    const ago = (minute: number) => new Date(begun - minute * 60_000).toISOString();

    beforeEach(async () => {
      begun = Date.now();
      const all = [...minutes, 48 * 60 + 1, 50 * 60];
      await Promise.all(
        all.map((minute) =>
          store.connections.put({ id: `c#${minute}`, roomName: 'r=1', timestamp: ago(minute) }),
        ),
      );
    });

    const idsOf = async (pages: AsyncIterable<{ id: string }[]>) =>
      (await collect(pages)).map(({ id }) => id);

    test('are in the order of time, over hours', async () => {
      const since = new Date(begun - 48 * hourMs + 1000);
      expect(await idsOf(store.connections.since(since))).toEqual(minutes.map((m) => `c#${m}`));
    });

    test('are newest first, of the last 48 hours', async () => {
      const newest = await collect(store.connections.newestFirst());
      expect(newest.map(({ id }) => id)).toEqual([...minutes].reverse().map((m) => `c#${m}`));
      expect(newest[0]).toEqual({ id: 'c#0', roomName: 'r=1', timestamp: ago(0) });
    });

    test('start at a time, inclusive', async () => {
      const since = new Date(begun - 119 * 60_000);
      expect(await idsOf(store.connections.since(since))).toEqual(
        ['119', '61', '59', '1', '0'].map((minute) => `c#${minute}`),
      );
      expect(await idsOf(store.connections.since(new Date(begun + hourMs)))).toEqual([]);
      expect(await idsOf(store.connections.since(new Date(0)))).toHaveLength(minutes.length);
    });

    test('with equal times are all there', async () => {
      for (const id of ['b', 'a']) {
        await store.connections.put({ id, roomName: 'r', timestamp: ago(0) });
      }
      const newest = await idsOf(store.connections.newestFirst());
      expect(new Set(newest.slice(0, 3))).toEqual(new Set(['a', 'b', 'c#0']));
    });

    test('of a server with a fast clock are there too', async () => {
      await store.connections.put({ id: 'ahead', roomName: 'r', timestamp: ago(-50) });
      expect((await idsOf(store.connections.newestFirst()))[0]).toBe('ahead');
      expect((await idsOf(store.connections.since(new Date(begun)))).at(-1)).toBe('ahead');
    });

    test('to a room that cannot be stored are dropped', async () => {
      await store.connections.put({ id: 'x', roomName: '', timestamp: ago(0) });
      expect(await idsOf(store.connections.newestFirst())).not.toContain('x');
    });

    test('are read whatever else is in the table', async () => {
      const hour = { S: ago(0).slice(0, 13) };
      await put(store.names.connections, { hour, at: { S: `${ago(0)}#half` } });
      await put(store.names.connections, { hour, at: { S: '~' }, roomName: { S: 'r' } });
      expect(await idsOf(store.connections.newestFirst())).toHaveLength(minutes.length);
    });

    test('come in pages, each read on demand', async () => {
      const timestamp = ago(3);
      const rows = Array.from({ length: 1200 }, (_, index) => ({
        id: `${index}`,
        roomName: 'r',
        timestamp,
      }));
      for (let begin = 0; begin < rows.length; begin += 10) {
        await Promise.all(rows.slice(begin, begin + 10).map((row) => store.connections.put(row)));
      }
      const read = countItems(store);
      for await (const page of store.connections.newestFirst()) {
        expect(page.length).toBeLessThanOrEqual(500);
        if (read().length > 2) break;
      }
      expect(read().reduce((sum, items) => sum + items, 0)).toBeLessThan(1200);
    });
  });
});

/** Shortens a long name for the title. */
function titled(room: string): [title: string, room: string] {
  return [room.slice(0, 20), room];
}

function cursorOf({ cursor }: { cursor?: string }): { cursor?: string } {
  return cursor === undefined ? {} : { cursor };
}

/** Counts requests from now on. */
function countRequests({ client }: TestStore): () => number {
  const read = countItems({ client });
  return () => read().length;
}

/** The number of items that each request reads, from now on until the test ends. */
function countItems({ client }: Pick<TestStore, 'client'>): () => number[] {
  const read: number[] = [];
  const name = 'countItems';
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      read.push((result.output as { ScannedCount?: number }).ScannedCount ?? 0);
      return result;
    },
    { step: 'initialize', name },
  );
  owns(client, () => client.middlewareStack.remove(name));
  return () => read;
}
