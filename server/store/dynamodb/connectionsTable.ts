import {
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { type ConnectionsTable, isStorable, type StoredConnection, StoreError } from '../store.js';
import { type Item, itemsOf, text } from './attributes.js';

const hourMs = 60 * 60 * 1000;
const keptMs = 48 * hourMs;
const pageItems = 500;

/**
 * The connections table: partition key `hour` (`2026-11-23T18`, UTC), sort key `at` (time, `#` and the
 * connection's id: orders by time), `roomName`, and the TTL attribute `expiresAt`.
 */
export function connectionsTable(client: DynamoDBClient, table: string): ConnectionsTable {
  /** The connections of one hour from a time on, in pages. */
  async function* bucket(hour: string, from: string, isAscending: boolean) {
    let after: Item | undefined;
    do {
      const page: QueryCommandOutput = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: '#hour = :hour AND #at >= :from',
          ExpressionAttributeNames: { '#hour': 'hour', '#at': 'at' },
          ExpressionAttributeValues: { ':hour': { S: hour }, ':from': { S: from } },
          ScanIndexForward: isAscending,
          Limit: pageItems,
          ...(after && { ExclusiveStartKey: after }),
        }),
      );
      const connections = itemsOf(page.Items).flatMap((item) => toStoredConnection(item) ?? []);
      if (connections.length > 0) yield connections;
      const next = page.LastEvaluatedKey;
      if (next && (!text(next.at) || text(next.at) === text(after?.at))) {
        throw new StoreError(`the table "${table}" answers the same page again and again`);
      }
      after = next;
    } while (after);
  }

  async function* between(from: Date, isAscending: boolean) {
    const hours = hoursFrom(from);
    for (const hour of isAscending ? hours : hours.reverse()) {
      yield* bucket(hour, from.toISOString(), isAscending);
    }
  }

  return {
    async put({ id, roomName, timestamp }) {
      const at = new Date(timestamp);
      // A room whose name cannot be stored is only in the live counts.
      if (!isStorable(roomName)) return;
      const Item = {
        hour: { S: hourOf(at) },
        at: { S: `${at.toISOString()}#${id}` },
        roomName: { S: roomName },
        expiresAt: { N: String(Math.ceil((at.getTime() + keptMs) / 1000)) },
      };
      await client.send(new PutItemCommand({ TableName: table, Item }));
    },

    since: (time) => between(new Date(Math.max(time.getTime(), Date.now() - keptMs)), true),
    newestFirst: () => between(new Date(Date.now() - keptMs), false),
  };
}

function hourOf(time: Date): string {
  return time.toISOString().slice(0, 13);
}

/** From the hour of a time to the next one: the clocks of the servers that write may be ahead of ours. */
function hoursFrom(time: Date): string[] {
  const hours: string[] = [];
  const end = Date.now() + hourMs;
  for (let at = time.getTime(); hourOf(new Date(at)) <= hourOf(new Date(end)); at += hourMs) {
    hours.push(hourOf(new Date(at)));
  }
  return hours;
}

/** Undefined for what is no connection. */
function toStoredConnection(item: Item): StoredConnection | undefined {
  const [, timestamp, id] = /^(\d{4}-\d\d-\d\dT[\d:.]+Z)#(.+)$/s.exec(text(item.at) ?? '') ?? [];
  const roomName = text(item.roomName);
  if (timestamp === undefined || id === undefined || roomName === undefined) return undefined;
  return { id, roomName, timestamp };
}
