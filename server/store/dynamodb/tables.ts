import { setTimeout as pause } from 'node:timers/promises';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';

/** Names of the three tables. */
export interface TableNames {
  rooms: string;
  servers: string;
  connections: string;
}

/** The kinds of tables; docs/deploy.md describes them. */
export const tableKinds = ['rooms', 'servers', 'connections'] as const;
export type TableKind = (typeof tableKinds)[number];

/** Names of tables without a configured name. */
export const defaultNames: TableNames = {
  rooms: 'rooms',
  servers: 'servers',
  connections: 'connections',
};

/** The table of observations. It is only in the embedded server. */
export const observationsName = 'observations';

/** The attribute after which DynamoDB deletes an item: seconds since 1970. */
export const ttlAttribute = 'expiresAt';

interface Shape {
  key: readonly string[];
  hasTtl: boolean;
}

/** The key attributes of each kind (strings, the partition key first), and whether its items expire. */
export const shapes: Record<TableKind, Shape> = {
  rooms: { key: ['id'], hasTtl: false },
  servers: { key: ['id'], hasTtl: true },
  connections: { key: ['hour', 'at'], hasTtl: true },
};

const pollMs = 50;
const activeWithinMs = 30_000;

/** Creates missing tables and waits until all can be used. Rejects with `StoreError`. */
export async function createTables(client: DynamoDBClient, names: TableNames): Promise<void> {
  await Promise.all(tableKinds.map((kind) => createTable(client, shapes[kind], names[kind])));
}

/** Creates the tables of the embedded server. */
export async function createEmbeddedTables(client: DynamoDBClient): Promise<void> {
  await Promise.all([
    createTables(client, defaultNames),
    createTable(client, { key: ['id'], hasTtl: false }, observationsName),
  ]);
}

async function createTable(client: DynamoDBClient, shape: Shape, name: string): Promise<void> {
  await client.send(new CreateTableCommand(definition(shape, name))).catch(ignore(tableExists));
  const deadline = performance.now() + activeWithinMs;
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === 'ACTIVE' || performance.now() > deadline) break;
    await pause(pollMs);
  }
  if (!shape.hasTtl) return;
  const ttl = { AttributeName: ttlAttribute, Enabled: true };
  await client
    .send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification: ttl }))
    .catch(ignore(ttlNotNeeded));
}

function definition({ key }: Shape, name: string): CreateTableCommandInput {
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: key.map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S',
    })),
    KeySchema: key.map((AttributeName, index) => ({
      AttributeName,
      KeyType: index === 0 ? 'HASH' : 'RANGE',
    })),
  };
}

const tableExists = ['ResourceInUseException'];
// The embedded server has no TTL, or the table has it already.
const ttlNotNeeded = ['UnknownOperationException', 'ValidationException'];

/** Ignores errors of the SDK by their name, and throws any other again. */
function ignore(names: readonly string[]) {
  return (error: Error): void => {
    const { name } = Object(error.cause) as { name?: string };
    if (!name || !names.includes(name)) throw error;
  };
}
