import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  type PutItemCommandInput,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { parseServerId } from '../../addresses.js';
import type { ServersTable, StoredServer } from '../store.js';
import { type Item, itemsOf, number, text } from './attributes.js';

/** Items of one request, and requests of one listing. Further servers are not read. */
const scanItems = 1000;
const maxScans = 10;

/** The servers table `{id: S, origin: S, expiresAt: N}`; `expiresAt` (seconds) is its TTL attribute. */
export function serversTable(client: DynamoDBClient, table: string): ServersTable {
  return {
    async list() {
      const servers: StoredServer[] = [];
      let after: Record<string, AttributeValue> | undefined;
      for (let scans = 0; scans < maxScans; scans += 1) {
        const { Items, LastEvaluatedKey } = await client.send(
          new ScanCommand({
            TableName: table,
            Limit: scanItems,
            ...(after && { ExclusiveStartKey: after }),
          }),
        );
        servers.push(...itemsOf(Items).flatMap((item) => toStoredServer(item) ?? []));
        after = LastEvaluatedKey;
        if (!after) break;
      }
      // DynamoDB deletes expired items within days.
      const now = Date.now();
      return servers.filter(({ expiresAt }) => expiresAt > now);
    },

    async put({ server, origin, expiresAt }) {
      const Item = {
        id: { S: server },
        origin: { S: origin },
        expiresAt: { N: String(Math.ceil(expiresAt / 1000)) },
      };
      const condition = origin === 'remembered' ? unlessRegistered() : {};
      const command = new PutItemCommand({ TableName: table, Item, ...condition });
      await client.send(command).catch((error: Error) => {
        if (!(error.cause instanceof ConditionalCheckFailedException)) throw error;
      });
    },

    async remove(server) {
      await client.send(new DeleteItemCommand({ TableName: table, Key: { id: { S: server } } }));
    },
  };
}

/** The condition that a remembered server does not replace a registered one, which sends heartbeats. */
function unlessRegistered(): Partial<PutItemCommandInput> {
  return {
    ConditionExpression: 'attribute_not_exists(id) OR origin <> :registered OR expiresAt <= :now',
    ExpressionAttributeValues: {
      ':registered': { S: 'registered' },
      ':now': { N: String(Math.floor(Date.now() / 1000)) },
    },
  };
}

/** Undefined if the item is not a server. */
function toStoredServer(item: Item): StoredServer | undefined {
  const origin = text(item.origin);
  const expiresAt = number(item.expiresAt);
  if ((origin !== 'registered' && origin !== 'remembered') || expiresAt === undefined) {
    return undefined;
  }
  try {
    return { server: parseServerId(text(item.id) ?? ''), origin, expiresAt: expiresAt * 1000 };
  } catch {
    return undefined;
  }
}
