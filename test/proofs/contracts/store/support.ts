import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterEach } from '@jest/globals';
import { createClient } from '../../../../server/store/dynamodb/client.js';
import { connectionsTable } from '../../../../server/store/dynamodb/connectionsTable.js';
import { roomsTable } from '../../../../server/store/dynamodb/roomsTable.js';
import { serversTable } from '../../../../server/store/dynamodb/serversTable.js';
import { createTables, type TableNames } from '../../../../server/store/dynamodb/tables.js';
import { type EmbeddedOptions, startEmbedded } from '../../../../server/store/embedded/embedded.js';
import type { Page, Store } from '../../../../server/store/store.js';

const cleanups: (() => unknown)[] = [];

/** Calls `end` when the test is over, in reverse order. */
export function owns<T>(thing: T, end: (thing: T) => unknown): T {
  cleanups.push(() => end(thing));
  return thing;
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A store with its own tables, and a client to inspect them. */
export interface TestStore extends Omit<Store, 'close'> {
  client: DynamoDBClient;
  names: TableNames;
}

/** A client, and a function that ends it and its server. */
export interface Connected {
  client: DynamoDBClient;
  end: () => Promise<void>;
}

/** Longer than a busy machine takes. */
export const withinMs = 60_000;

/** The servers for the contract test of the adapters. */
export const servers: { name: string; connect: () => Promise<Connected> }[] = [
  { name: 'the embedded server in memory', connect: () => connectEmbedded() },
  {
    name: 'the embedded server in a folder',
    connect: async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'store-'));
      const { client, end } = await connectEmbedded({ dataDir });
      return { client, end: () => end().then(() => rm(dataDir, { recursive: true })) };
    },
  },
];
if (process.env.AWS_ENDPOINT_URL_DYNAMODB) {
  const client = createClient({ withinMs });
  const end = async () => client.destroy();
  servers.push({ name: 'AWS_ENDPOINT_URL_DYNAMODB', connect: async () => ({ client, end }) });
}

/** Starts an embedded server with a client. */
export async function connectEmbedded(options: EmbeddedOptions = {}): Promise<Connected> {
  const embedded = await startEmbedded({ withinMs, ...options });
  const client = createClient({ ...embedded.clientOptions, withinMs });
  const end = async () => {
    client.destroy();
    await embedded.close();
  };
  return { client, end };
}

/** A folder that is removed after the test. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'store-'));
  return owns(path, () => rm(path, { recursive: true }));
}

/** New tables with adapters. They are removed after the test. */
export async function testStore(client: DynamoDBClient): Promise<TestStore> {
  const run = randomUUID();
  const names = { rooms: `rooms-${run}`, servers: `servers-${run}`, connections: `conns-${run}` };
  await createTables(client, names);
  owns(names, () =>
    Promise.all(
      Object.values(names).map((TableName) => client.send(new DeleteTableCommand({ TableName }))),
    ),
  );
  return { ...tablesOf(client, names), client, names };
}

/** The adapters over a client. */
export function tablesOf(client: DynamoDBClient, names: TableNames): Omit<Store, 'close'> {
  return {
    rooms: roomsTable(client, names.rooms),
    servers: serversTable(client, names.servers),
    connections: connectionsTable(client, names.connections),
  };
}

/** Every page, from the first to the one without a cursor. */
export async function allPages<Item>(
  read: (cursor: { cursor?: string }) => Promise<Page<Item>>,
): Promise<Item[][]> {
  const pages: Item[][] = [];
  let cursor: string | undefined;
  do {
    const page = await read(cursor === undefined ? {} : { cursor });
    pages.push(page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pages;
}

/** All items of a stream of pages. */
export async function collect<Item>(pages: AsyncIterable<Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}
