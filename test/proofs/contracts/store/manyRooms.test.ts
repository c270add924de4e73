import { BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { roomsTable } from '../../../../server/store/dynamodb/roomsTable.js';
import { allPages, type Connected, connectEmbedded } from './support.js';

const count = 10_000;
const batch = 25;
const atOnce = 8;

describe('with 10,000 rooms', () => {
  let embedded: Connected;
  let scans: { read: number; limit: number }[] = [];

  beforeAll(async () => {
    embedded = await connectEmbedded({ expireEveryMs: 1_000_000 });
    await fill(embedded.client);
    embedded.client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const { ScannedCount = 0 } = result.output as { ScannedCount?: number };
        scans.push({ read: ScannedCount, limit: (args.input as { Limit: number }).Limit });
        return result;
      },
      { step: 'initialize' },
    );
  });
  afterAll(() => embedded.end());
  beforeEach(() => {
    scans = [];
  });

  const itemsRead = () => scans.reduce((sum, { read }) => sum + read, 0);
  const rooms = () => roomsTable(embedded.client, 'rooms');

  test('the first page of 50 and a later one each read 50 items with one request', async () => {
    const first = await rooms().page({ limit: 50, maxRead: 10_000 });
    expect([first.items.length, itemsRead(), scans.length]).toEqual([50, 50, 1]);
    const second = await rooms().page({ limit: 50, maxRead: 10_000, cursor: first.cursor ?? '' });
    expect([second.items.length, itemsRead(), scans.length]).toEqual([50, 100, 2]);
    expect(first.items.map(({ id }) => id)).not.toContain(second.items[0]?.id);
  });

  test('with a rare prefix a page ends at the limit of items read, with a cursor', async () => {
    const page = await rooms().page({ limit: 50, maxRead: 2500, prefix: 'room-9999' });
    expect(page.cursor).toBeDefined();
    expect([itemsRead(), scans.length]).toEqual([2500, 3]);
  });

  test('with a common prefix one request fills the page', async () => {
    const page = await rooms().page({ limit: 50, maxRead: 10_000, prefix: 'room-1' });
    expect(page.items).toHaveLength(50);
    expect(scans).toHaveLength(1);
  });

  test('the pages have every room', async () => {
    const pages = await allPages((cursor) =>
      rooms().page({ limit: 1000, maxRead: 5000, prefix: 'room-9', ...cursor }),
    );
    // 9, 9x, 9xx and 9xxx.
    expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(1111);
    expect(Math.max(...scans.map(({ limit }) => limit))).toBeLessThanOrEqual(1000);
  });

  test('a page of addresses reads one part of the table', async () => {
    const page = await rooms().addresses({ maxRead: 1000 });
    expect(page.items).toEqual(['10.0.0.3']);
    expect([itemsRead(), scans.length]).toEqual([1000, 1]);
  });
});

async function fill(client: DynamoDBClient): Promise<void> {
  const begins = Array.from({ length: count / batch }, (_, index) => index * batch);
  const write = async () => {
    for (let begin = begins.pop(); begin !== undefined; begin = begins.pop()) {
      const from = begin;
      const puts = Array.from({ length: batch }, (_, index) => ({
        PutRequest: {
          Item: { id: { S: `room-${from + index}` }, remoteDocs: { SS: ['10.0.0.3'] } },
        },
      }));
      await client.send(new BatchWriteItemCommand({ RequestItems: { rooms: puts } }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, write));
}
