import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { startTestService } from '../../support/service.js';
import { owns } from '../../support/stage.js';
import { startUnresponsivePorts } from '../../support/unresponsivePorts.js';
import {
  answers,
  awsVariables,
  dependenciesOf,
  dynamoDb,
  fails,
  setVariables,
  tables,
  tableVariables,
  untilSeen,
} from './support.js';

const kinds = ['rooms', 'servers', 'connections'] as const;

/** A service with tables at this port, which are looked at often. */
async function serviceAt(port: number, aws: Record<string, string | undefined> = {}) {
  setVariables({ ...awsVariables(port), AWS_EC2_METADATA_DISABLED: 'true', ...aws });
  const service = await startTestService(tableVariables, { checks: { everyMs: 200 } });
  return owns(service, (it) => it.stop());
}

test('tables are seen to be killed, to come back empty, and to be made', async () => {
  const store = await dynamoDb();
  await store.start();
  await store.makeTables();
  const service = await serviceAt(store.port);
  for (const kind of kinds)
    expect(await untilSeen(service, kind, answers)).toMatchObject({
      where: `table ${tables[kind]} in eu-west-1`,
    });
  await store.kill();
  for (const kind of kinds) await untilSeen(service, kind, fails('connection refused'));
  await store.start();
  for (const kind of kinds)
    await untilSeen(service, kind, fails(`table ${tables[kind]} does not exist in eu-west-1`));
  await store.makeTables();
  for (const kind of kinds) await untilSeen(service, kind, answers);
});

test('tables that are down at the start are seen to come', async () => {
  const store = await dynamoDb();
  const service = await serviceAt(store.port);
  for (const kind of kinds) await untilSeen(service, kind, fails('connection refused'));
  await store.start();
  await store.makeTables();
  for (const kind of kinds) await untilSeen(service, kind, answers);
});

test('a store that hangs is said not to answer, and ends nothing', async () => {
  const [hanging] = await startUnresponsivePorts(1);
  const service = await serviceAt(hanging?.port ?? 0);
  for (const kind of kinds) await untilSeen(service, kind, fails('no answer within 3 s'));
});

test('missing credentials and a missing region are causes of their own', async () => {
  const store = await dynamoDb();
  await store.start();
  await store.makeTables();
  const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
  const files = { AWS_CONFIG_FILE: '/nonexistent', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent' };
  const anonymous = await serviceAt(store.port, { ...none, ...files });
  for (const kind of kinds) await untilSeen(anonymous, kind, fails('no credentials'));
  const nowhere = await serviceAt(store.port, { ...files, AWS_REGION: undefined });
  await untilSeen(nowhere, 'rooms', fails('no region: set AWS_REGION'));
});

test('a DATA_DIR that another service uses is seen to be free again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'data-'));
  owns(folder, () => rm(folder, { recursive: true, force: true }));
  const start = () => startTestService({ DATA_DIR: folder });
  const first = await start();
  await untilSeen(first, 'data_dir', { ...answers, where: `folder ${folder}` });
  const second = owns(await start(), (it) => it.stop());
  await untilSeen(second, 'data_dir', fails(`DATA_DIR "${folder}" cannot be used`));
  await first.stop();
  await untilSeen(second, 'data_dir', answers);
});

test('only tables with a name are dependencies', async () => {
  const store = await dynamoDb();
  setVariables(awsVariables(store.port));
  const { rooms } = tables;
  const service = await startTestService({ DYNAMODB_TABLE: rooms });
  owns(service, (it) => it.stop());
  expect((await dependenciesOf(service)).map(({ name }) => name)).toEqual(['rooms']);
});
