/** For tests of the REST API: a metadata store, services that use it, and HTTP requests. */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll } from '@jest/globals';
import type { StoreWriterOptions } from '../../server/demo/storeWriter.js';
import type { Service, ServiceOverrides } from '../../server/service.js';
import { createClient } from '../../server/store/dynamodb/client.js';
import { connectionsTable } from '../../server/store/dynamodb/connectionsTable.js';
import { roomsTable } from '../../server/store/dynamodb/roomsTable.js';
import { serversTable } from '../../server/store/dynamodb/serversTable.js';
import { createTables, type TableNames } from '../../server/store/dynamodb/tables.js';
import { type EmbeddedServer, startEmbedded } from '../../server/store/embedded/embedded.js';
import { type Store, StoreError } from '../../server/store/store.js';
import type { ErrorBody } from '../../server/wire/errorBody.js';
import { startTestService } from './service.js';
import { owns } from './stage.js';

const withinMs = 60_000;

/** The commands that a client sent, and how many items they read. */
export interface Traffic {
  commands: string[];
  itemsRead: number;
}

/** Tables for one test. */
export interface TestTables {
  names: TableNames;
  store: Store;
  /** An option of `startReal`: its server writes into these tables. */
  writer: StoreWriterOptions;
  traffic: Traffic;
  /** Writes any item, valid or not. */
  put(kind: keyof TableNames, item: Record<string, AttributeValue>): Promise<void>;
  putRoom(id: string, attributes?: Record<string, AttributeValue>): Promise<void>;
  putRooms(ids: readonly string[]): Promise<void>;
}

/** An embedded DynamoDB server for the tests of one file. */
export function sharedStore(): { tables: () => Promise<TestTables> } {
  let embedded: EmbeddedServer;
  const clients: DynamoDBClient[] = [];
  beforeAll(async () => {
    embedded = await startEmbedded({ withinMs });
    const { region, credentials } = embedded.clientOptions;
    // Pub-sub servers run in processes of their own and inherit these.
    Object.assign(process.env, {
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    });
  });
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await embedded.close();
  });
  const connect = () => {
    const client = createClient({ ...embedded.clientOptions, withinMs });
    clients.push(client);
    return client;
  };
  return {
    tables: async () => {
      const run = randomUUID();
      const names = { rooms: `rooms-${run}`, servers: `servers-${run}`, connections: `all-${run}` };
      const [own, services] = [connect(), connect()];
      await createTables(own, names);
      const traffic = watchTraffic(services);
      const store = storeOver(services, names);
      const { endpoint } = embedded.clientOptions;
      return { names, store, traffic, writer: { tables: names, endpoint }, ...puts(own, names) };
    },
  };
}

function storeOver(client: DynamoDBClient, names: TableNames): Store {
  return {
    rooms: roomsTable(client, names.rooms),
    servers: serversTable(client, names.servers),
    connections: connectionsTable(client, names.connections),
    close: async () => {},
  };
}

function watchTraffic(client: DynamoDBClient): Traffic {
  const traffic: Traffic = { commands: [], itemsRead: 0 };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const output = result.output as { ScannedCount?: number; Item?: object };
      traffic.commands.push(String(context.commandName));
      traffic.itemsRead += output.ScannedCount ?? (output.Item ? 1 : 0);
      return result;
    },
    { step: 'initialize' },
  );
  return traffic;
}

function puts(client: DynamoDBClient, names: TableNames) {
  const put: TestTables['put'] = async (kind, Item) => {
    await client.send(new PutItemCommand({ TableName: names[kind], Item }));
  };
  const putRoom: TestTables['putRoom'] = (id, attributes = {}) =>
    put('rooms', { id: { S: id }, ...attributes });
  const putRooms = async (ids: readonly string[]) => {
    let begin = 0;
    const lane = async () => {
      while (begin < ids.length) {
        const batch = ids.slice(begin, begin + 25);
        begin += 25;
        const requests = batch.map((id) => ({ PutRequest: { Item: { id: { S: id } } } }));
        await client.send(new BatchWriteItemCommand({ RequestItems: { [names.rooms]: requests } }));
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
  };
  return { put, putRoom, putRooms };
}

/** Long intervals: only the test makes things happen. Requests still time out within the test. */
export const calm = {
  LINGER_MS: '50',
  REQUEST_TIMEOUT_MS: '10000',
  PROBE_INTERVAL_MS: '60000',
  RESYNC_INTERVAL_MS: '60000',
  FRAME_INTERVAL_MS: '5',
};

/** A service that uses these tables and knows these servers. Without `DYNAMODB_TABLE` it takes them for embedded. */
export async function startRest(
  { store }: { store: Store },
  {
    servers = [],
    env = { DYNAMODB_TABLE: 'given' },
    overrides = {},
  }: {
    servers?: readonly { id: string }[];
    env?: Record<string, string>;
    overrides?: ServiceOverrides;
  } = {},
): Promise<Service> {
  const ids = servers.map(({ id }) => id).join(',');
  const service = await startTestService(
    { ...calm, PUBSUB_SERVERS: ids, ...env },
    { openStore: async () => store, ...overrides },
  );
  return owns(service, () => service.stop());
}

/** An answer with its whole body. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** Throws if the body is not JSON. */
  json<T>(): T;
  /** The error code, if the answer is an error. */
  code: string | undefined;
}

/** Sends a GET with the path unchanged. Rejects if the answer is cut off. */
export async function get(
  { url }: { url: string },
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const outgoing = request({ hostname, port, path, headers, agent: false }).end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = await buffer(incoming);
  const status = incoming.statusCode ?? 0;
  const json = <T>() => JSON.parse(body.toString()) as T;
  const code = status >= 400 ? json<ErrorBody>().error.code : undefined;
  return { status, headers: incoming.headers, body, json, code };
}

/** The path of the next page; undefined if there is none. */
export function nextOf({ headers }: Answer, path: string): string | undefined {
  const { link } = headers;
  const [, target] = /^<(.*)>; rel="next"$/.exec(String(link ?? '')) ?? [];
  if (target === undefined) return undefined;
  const { pathname, search } = new URL(target, `http://localhost${path}`);
  return pathname + search;
}

/** Every page of a list. Follows its links. */
export async function allPages<T>(service: { url: string }, first: string): Promise<T[][]> {
  const pages: T[][] = [];
  for (let path: string | undefined = first; path !== undefined; ) {
    const answer = await get(service, path);
    if (answer.status !== 200) throw new Error(`${path} was answered ${answer.status}`);
    pages.push(answer.json<T[]>());
    path = nextOf(answer, path);
  }
  return pages;
}

/** A store that fails every call while it is broken. */
export function breakable({ rooms, servers, connections }: Store) {
  let isBroken = false;
  const check = () => {
    if (isBroken) throw new StoreError('broken as scripted');
  };
  const ask = async <T>(question: () => Promise<T>) => {
    check();
    return question();
  };
  const pages = async function* <T>(read: () => AsyncIterable<T>) {
    check();
    yield* read();
  };
  const store: Store = {
    rooms: {
      get: (room) => ask(() => rooms.get(room)),
      page: (query) => ask(() => rooms.page(query)),
      addresses: (query) => ask(() => rooms.addresses(query)),
    },
    servers: {
      list: () => ask(() => servers.list()),
      put: (item) => ask(() => servers.put(item)),
      remove: (server) => ask(() => servers.remove(server)),
    },
    connections: {
      put: (connection) => ask(() => connections.put(connection)),
      since: (time) => pages(() => connections.since(time)),
      newestFirst: () => pages(() => connections.newestFirst()),
    },
    close: async () => {},
  };
  const setBroken = (value: boolean) => {
    isBroken = value;
  };
  return { store, break: () => setBroken(true), mend: () => setBroken(false) };
}
