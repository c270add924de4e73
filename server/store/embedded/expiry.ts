import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { ttlAttribute } from '../dynamodb/tables.js';

/** Deletes expired items of one table, in rounds of limited size. */
export interface Expiry {
  /** Deletes expired items in the next part of the table. Resolves with their number. Rejects with `StoreError`. */
  round(): Promise<number>;
}

// The limit of DynamoDB.
const batchItems = 25;

/** Does what TTL does in DynamoDB; the embedded server has none. */
export function createExpiry(
  client: DynamoDBClient,
  table: string,
  keyAttributes: readonly string[],
  { readItems = 1000 } = {},
): Expiry {
  let after: Record<string, AttributeValue> | undefined;

  const readExpired = async () => {
    const names = Object.fromEntries(keyAttributes.map((name, index) => [`#k${index}`, name]));
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({
        TableName: table,
        Limit: readItems,
        ProjectionExpression: Object.keys(names).join(', '),
        FilterExpression: '#ttl <= :now',
        ExpressionAttributeNames: { ...names, '#ttl': ttlAttribute },
        ExpressionAttributeValues: { ':now': { N: String(Math.floor(Date.now() / 1000)) } },
        ...(after && { ExclusiveStartKey: after }),
      }),
    );
    after = LastEvaluatedKey;
    return Items;
  };

  return {
    async round() {
      const expired = await readExpired();
      for (let begin = 0; begin < expired.length; begin += batchItems) {
        const batch = expired.slice(begin, begin + batchItems);
        const deletes = batch.map((Key) => ({ DeleteRequest: { Key } }));
        // Unprocessed items are deleted in the next pass.
        await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: deletes } }));
      }
      return expired.length;
    },
  };
}
