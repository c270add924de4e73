import {
  type DynamoDBClient,
  GetItemCommand,
  ScanCommand,
  type ScanCommandInput,
} from '@aws-sdk/client-dynamodb';
import { isStorable, type Page, type RoomsTable, type StoredRoom } from '../store.js';
import { type Item, itemsOf, number, strings, text, time } from './attributes.js';
import { fromCursor, toCursor } from './cursors.js';

/** Items read by one request when searching for a prefix. DynamoDB stops at 1 MB. */
const scanItems = 1000;
/** Limit of requests for one page. */
const maxScans = 20;

/** The rooms table `{id: S, remoteDocs: SS}`, as pub-sub servers write it (docs/deploy.md, "Metadata store"). */
export function roomsTable(client: DynamoDBClient, table: string): RoomsTable {
  /** One request: up to `limit` items after the key `after`, and the key of the last one. */
  const scan = async (
    limit: number,
    after: string | undefined,
    more?: Partial<ScanCommandInput>,
  ) => {
    const {
      Items = [],
      ScannedCount,
      LastEvaluatedKey,
    } = await client.send(
      new ScanCommand({
        TableName: table,
        Limit: limit,
        ...(after !== undefined && { ExclusiveStartKey: { id: { S: after } } }),
        ...more,
      }),
    );
    return { items: itemsOf(Items), read: ScannedCount ?? limit, last: text(LastEvaluatedKey?.id) };
  };

  return {
    async get(room) {
      if (!isStorable(room)) return undefined;
      const { Item } = await client.send(
        new GetItemCommand({ TableName: table, Key: { id: { S: room } } }),
      );
      return itemsOf([Item]).map(toStoredRoom)[0];
    },

    async page({ limit, maxRead, prefix = '', cursor }) {
      let after = cursor === undefined ? undefined : fromCursor(cursor);
      const rooms: StoredRoom[] = [];
      // No stored name can begin with a name that cannot be stored.
      if (prefix !== '' && !isStorable(prefix)) return { items: rooms };
      for (let left = maxRead, scans = 0; left > 0 && scans < maxScans; scans += 1) {
        // With a prefix, most items are filtered out, so read more than wanted.
        const most = prefix === '' ? limit - rooms.length : scanItems;
        const { items, read, last } = await scan(Math.min(most, left), after, beginsWith(prefix));
        rooms.push(...items.flatMap((item) => toStoredRoom(item) ?? []));
        if (rooms.length > limit) return cutAt(rooms, limit);
        if (last === undefined) return { items: rooms };
        after = last;
        left -= read;
        if (rooms.length === limit) break;
      }
      return { items: rooms, ...(after !== undefined && { cursor: toCursor(after) }) };
    },

    async addresses({ maxRead, cursor }) {
      const after = cursor === undefined ? undefined : fromCursor(cursor);
      const { items, last } = await scan(maxRead, after, { ProjectionExpression: 'remoteDocs' });
      const addresses = new Set(items.flatMap((item) => strings(item.remoteDocs)));
      return { items: [...addresses], ...(last !== undefined && { cursor: toCursor(last) }) };
    },
  };
}

function beginsWith(prefix: string): Partial<ScanCommandInput> {
  if (prefix === '') return {};
  return {
    FilterExpression: 'begins_with(id, :prefix)',
    ExpressionAttributeValues: { ':prefix': { S: prefix } },
  };
}

/** Keeps `limit` rooms. The next page begins after the last one kept. */
function cutAt(rooms: StoredRoom[], limit: number): Page<StoredRoom> {
  const items = rooms.slice(0, limit);
  const last = items.at(-1);
  return { items, ...(last && { cursor: toCursor(last.id) }) };
}

/** Undefined if the item is not a room. Other attributes of a wrong type are left out. */
function toStoredRoom(item: Item): StoredRoom | undefined {
  const id = text(item.id);
  if (id === undefined) return undefined;
  const createdAt = time(item.createdAt);
  const updatedAt = time(item.updatedAt);
  const bytes = number(item.bytes);
  return {
    id,
    addresses: strings(item.remoteDocs),
    ...(createdAt !== undefined && { createdAt }),
    ...(updatedAt !== undefined && { updatedAt }),
    ...(bytes !== undefined && bytes >= 0 && { bytes }),
  };
}
