import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { ClusterConnection } from '../../../../server/cluster/connect.js';
import { clusterKeys } from '../../../../server/cluster/keys.js';
import { redisServersTable } from '../../../../server/cluster/redisServersTable.js';
import { type ServersTable, StoreError } from '../../../../server/store/store.js';
import { describeServers } from '../../../proofs/contracts/store/serversContract.js';
import { eventually } from '../../../support/eventually.js';
import { type RedisServer, startRedis } from '../../../support/redisServer.js';

let redis: RedisServer;
let connection: ClusterConnection;
let table: ServersTable;

beforeEach(async () => {
  redis = await startRedis();
  const log = pino({ level: 'silent' });
  connection = new ClusterConnection({ url: redis.url, log, deadlineMs: 5000 });
  await connection.connected(60_000);
  table = redisServersTable(connection);
});
afterEach(async () => {
  connection.close();
  await redis.stop();
});

describeServers(() => table);

const write = (server: string, text: string) =>
  redis.call('HSET', clusterKeys.servers, server, text);
const soon = () => Date.now() + 3_600_000;

test('are all listed, whatever else is in the hash', async () => {
  await write('no server', `registered ${soon()}`);
  await write('10.0.0.4:1', 'registered');
  await write('10.0.0.5:1', `unheard ${soon()}`);
  await write('10.0.0.6:1', 'registered 9e9');
  await write('10.0.0.7:1', `registered ${soon()}`);
  expect((await table.list()).map(({ server }) => server)).toEqual(['10.0.0.7:1']);
});

test('are deleted after they expire', async () => {
  await write('10.0.0.4:1', `registered ${Date.now() - 1000}`);
  expect(await table.list()).toEqual([]);
  await eventually(async () => expect(await redis.call('HLEN', clusterKeys.servers)).toBe(0));
});

test('reject with StoreError when Redis is away', async () => {
  await redis.stop();
  await expect(table.list()).rejects.toThrow(StoreError);
  await eventually(() => expect(table.list()).rejects.toThrow('Redis is unreachable'));
});
