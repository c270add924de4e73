import { expect, test } from '@jest/globals';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { startRedis } from '../../support/redisServer.js';
import { runProcess } from '../../support/serviceProcess.js';
import { owns } from '../../support/stage.js';
import { startNameServer } from '../discovery/nameServer.js';
import { awsVariables, dynamoDb, tables, tableVariables } from './support.js';

const warning = 40;

test('the log sums up the start, warns of what does not answer, and tells when that is over', async () => {
  const store = await dynamoDb();
  const port = await freePort();
  const dns = owns(await startNameServer(), (it) => it.stop());
  dns.names.set('pubsub.test', { A: ['127.0.0.1'] });
  const { output, listening } = runProcess({
    REDIS_URL: `redis://:hunter2@127.0.0.1:${port}`,
    PUBSUB_SERVERS: '127.0.0.1:1',
    PUBSUB_DNS: 'pubsub.test',
    PUBSUB_DNS_SERVER: dns.address,
    STATE_DIR: 'none',
    ...tableVariables,
    ...awsVariables(store.port),
  });
  const url = await listening;
  const lines = () =>
    output.out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const logged = (msg: string) => lines().filter((line) => line.msg === msg);

  await eventually(() => expect(logged('not every dependency answers')).toHaveLength(1));
  expect(logged('this is what the service runs with')).toEqual([
    expect.objectContaining({
      auth: 'none: DASHBOARD_TOKEN is unset',
      servers: [
        'PUBSUB_SERVERS: 1',
        'DNS: pubsub.test',
        `table ${tables.servers}`,
        'start-up queries',
      ],
      redis: `127.0.0.1:${port}`,
      store: `DynamoDB: ${Object.values(tables).join(', ')}`,
      callbackAddress: url,
      cluster: 'off: CLUSTER_URL is unset',
    }),
  ]);
  const [summary] = logged('not every dependency answers');
  // On a busy machine some may not have answered yet.
  expect([...summary.answering, ...summary.failing, ...summary.unknown].sort()).toEqual(
    ['connections', 'dns:pubsub.test', 'redis', 'rooms', 'servers'].sort(),
  );
  await eventually(() => {
    const refused = logged('a dependency does not answer').filter(
      ({ level, cause }) => level === warning && cause === 'connection refused',
    );
    expect(refused.map(({ dependency }) => dependency)).toEqual(
      expect.arrayContaining(['connections', 'redis', 'rooms', 'servers']),
    );
  });

  const redis = owns(await startRedis({ port, password: 'hunter2' }), (it) => it.stop());
  await store.start();
  await store.makeTables();
  await eventually(() => {
    const back = logged('a dependency answers again').map(({ dependency }) => dependency);
    expect(back).toEqual(expect.arrayContaining(['connections', 'redis', 'rooms', 'servers']));
  });
  expect(logged('a dependency answers again')[0]).toHaveProperty('failedSince');

  await redis.stop();
  await eventually(() =>
    expect(logged('a dependency does not answer').at(-1)).toMatchObject({
      dependency: 'redis',
      where: `127.0.0.1:${port}`,
      cause: 'connection refused',
    }),
  );
  expect(logged('not every dependency answers')).toHaveLength(1);
  expect(output.out).not.toContain('hunter2');
});

test('a start at which all is well says so', async () => {
  const redis = owns(await startRedis(), (it) => it.stop());
  const { output, listening } = runProcess({ REDIS_URL: redis.url, STATE_DIR: 'none' });
  await listening;
  await eventually(() => expect(output.out).toContain('every dependency answers'));
  expect(output.out).not.toContain('does not answer');
});
