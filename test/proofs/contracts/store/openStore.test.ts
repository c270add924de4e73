import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../../machines/ports.js';
import { type ConfigError, readConfig } from '../../../../server/config/config.js';
import { createClient } from '../../../../server/store/dynamodb/client.js';
import { startEmbedded } from '../../../../server/store/embedded/embedded.js';
import { createTables, openStore } from '../../../../server/store/openStore.js';
import { StoreError } from '../../../../server/store/store.js';
import { collect, folder, owns, withinMs } from './support.js';

const server = '10.0.0.3:8001' as ServerId;
const item = { server, origin: 'remembered', expiresAt: 4_000_000_000_000 } as const;
const configured = {
  DYNAMODB_TABLE: 'my.rooms',
  DYNAMODB_SERVERS_TABLE: 'my.servers',
  DYNAMODB_CONNECTIONS_TABLE: 'my.connections',
};
const names = { rooms: 'my.rooms', servers: 'my.servers', connections: 'my.connections' };

const open = async (env: Record<string, string>) =>
  owns(await openStore(readConfig(env)), (it) => it.close());

describe('without a table', () => {
  test('the store is embedded, in memory', async () => {
    const store = await open({});
    await store.servers.put(item);
    expect(await store.servers.list()).toEqual([item]);
    expect(await store.rooms.page({ limit: 5, maxRead: 5 })).toEqual({ items: [] });
    expect(await collect(store.connections.newestFirst())).toEqual([]);
    await store.close();
    await expect(store.servers.list()).rejects.toThrow(StoreError);
  });

  test('the store is embedded, in DATA_DIR', async () => {
    const DATA_DIR = await folder();
    const first = await open({ DATA_DIR });
    await first.servers.put(item);
    await first.close();
    expect(await (await open({ DATA_DIR })).servers.list()).toEqual([item]);
  });
});

describe('with tables', () => {
  const before = { ...process.env };
  let elsewhere: ReturnType<typeof createClient>;

  beforeEach(async () => {
    const embedded = owns(await startEmbedded({ withinMs }), (it) => it.close());
    const { endpoint, region, credentials } = embedded.clientOptions;
    elsewhere = owns(createClient({ ...embedded.clientOptions, withinMs }), (it) => it.destroy());
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    });
  });
  afterEach(() => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  });

  test("the store is where the SDK's own variables say", async () => {
    await createTables(elsewhere, names);
    await createTables(elsewhere, names);
    const store = await open(configured);
    await store.servers.put(item);
    await store.close();
    expect(await (await open(configured)).servers.list()).toEqual([item]);
  });

  test('that are missing none is created, and each call names the missing one', async () => {
    const store = await open(configured);
    await expect(store.rooms.get('r')).rejects.toThrow(
      /"my\.rooms" failed: ResourceNotFoundException.*docs\/deploy\.md/,
    );
    await expect(store.servers.list()).rejects.toThrow('"my.servers"');
    await expect(collect(store.connections.newestFirst())).rejects.toThrow('"my.connections"');
    const { TableNames } = await elsewhere.send(new ListTablesCommand({}));
    expect(TableNames).toEqual(['connections', 'observations', 'rooms', 'servers']);
  });

  test('for rooms alone the others are embedded', async () => {
    await createTables(elsewhere, names);
    const store = await open({ DYNAMODB_TABLE: 'my.rooms' });
    expect(await store.rooms.get('r')).toBeUndefined();
    await store.servers.put(item);
    expect(await store.servers.list()).toEqual([item]);
    const there = await open(configured);
    expect(await there.servers.list()).toEqual([]);
  });

  test('with another key a call says so', async () => {
    await createTables(elsewhere, names);
    const store = await open({ DYNAMODB_TABLE: 'my.connections' });
    await expect(store.rooms.get('r')).rejects.toThrow(/"my\.connections".*key/);
  });
});

describe('the configuration of the store', () => {
  const problemsOf = (env: Record<string, string>): string[] => {
    try {
      readConfig(env);
      return [];
    } catch (error) {
      return (error as ConfigError).problems;
    }
  };

  test('takes names or ARNs, and a folder', () => {
    const arn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/rooms';
    expect(
      readConfig({ ...configured, DYNAMODB_TABLE: arn, DATA_DIR: '/var/lib/x' }),
    ).toMatchObject({
      dynamodbTable: arn,
      dynamodbServersTable: 'my.servers',
      dynamodbConnectionsTable: 'my.connections',
      dataDir: '/var/lib/x',
    });
    expect(readConfig({})).not.toHaveProperty('dynamodbTable');
    expect(readConfig({})).not.toHaveProperty('dataDir');
  });

  test.each(['ab', 'a b', 'a/b', 'x'.repeat(256), 'arn:aws:s3:::table/rooms'])(
    'refuses the name %.20s',
    (name) => {
      const [problem] = problemsOf({ DYNAMODB_TABLE: name });
      expect(problem).toMatch(/^DYNAMODB_TABLE is ".*": must be the name of a DynamoDB table/);
    },
  );

  test('refuses other tables without one for rooms', () => {
    expect(
      problemsOf({ DYNAMODB_SERVERS_TABLE: 'abc', DYNAMODB_CONNECTIONS_TABLE: 'abcd' }),
    ).toEqual([
      'DYNAMODB_TABLE is unset: DYNAMODB_SERVERS_TABLE requires it',
      'DYNAMODB_TABLE is unset: DYNAMODB_CONNECTIONS_TABLE requires it',
    ]);
  });

  test('refuses one table for two purposes', () => {
    expect(problemsOf({ ...configured, DYNAMODB_SERVERS_TABLE: 'my.rooms' })).toHaveLength(1);
    expect(problemsOf({ ...configured, DYNAMODB_CONNECTIONS_TABLE: 'my.servers' })).toEqual([
      'DYNAMODB_CONNECTIONS_TABLE is "my.servers": it must not be the same table as DYNAMODB_SERVERS_TABLE',
    ]);
  });
});
