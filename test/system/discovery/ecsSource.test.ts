import process from 'node:process';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DiscoverySource } from '../../../server/discovery/discoverySource.js';
import { ecsSource } from '../../../server/discovery/ecsSource.js';
import { eventually } from '../../support/eventually.js';
import { type EcsDouble, fargateTask, startEcs } from './ecsDouble.js';

let ecs: EcsDouble;
let source: DiscoverySource;
const before = { ...process.env };

beforeEach(async () => {
  ecs = await startEcs(2);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_ECS: ecs.url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_MAX_ATTEMPTS: '1',
  });
  source = ecsSource({ cluster: 'blue', service: 'pubsub' }, 8001);
});

afterEach(async () => {
  source.close?.();
  await ecs.stop();
  process.env = { ...before };
});

const never = () => new AbortController().signal;

test('running tasks are servers, once each, over all pages', async () => {
  for (const n of [1, 2, 3, 4, 5]) ecs.tasks.set(`arn:${n}`, fargateTask(`10.0.0.${n}`));
  ecs.tasks.set('arn:starting', fargateTask('10.0.0.6', 'PROVISIONING'));
  ecs.tasks.set('arn:ending', fargateTask('10.0.0.7', 'DEPROVISIONING'));
  expect(await source.discover(never())).toEqual([1, 2, 3, 4, 5].map((n) => `10.0.0.${n}:8001`));
  expect(ecs.requests.map(({ operation }) => operation)).toEqual(
    Array.from({ length: 4 }, () => ['ListTasks', 'DescribeTasks']).flat(),
  );
  expect(ecs.requests.slice(0, 3).map(({ input }) => input)).toEqual([
    { cluster: 'blue', serviceName: 'pubsub', desiredStatus: 'RUNNING', maxResults: 100 },
    { cluster: 'blue', tasks: ['arn:1', 'arn:2'] },
    expect.objectContaining({ nextToken: '2' }),
  ]);
});

test('a service without tasks has no servers, and no task is described', async () => {
  expect(await source.discover(never())).toEqual([]);
  expect(ecs.requests).toHaveLength(1);
});

test('tasks without an address of their own are an error', async () => {
  ecs.tasks.set('arn:1', { lastStatus: 'RUNNING', attachments: [], containers: [{ name: 'app' }] });
  await expect(source.discover(never())).rejects.toThrow('awsvpc');
});

test('an incomplete answer is used as far as it goes', async () => {
  ecs.tasks.set('arn:1', { lastStatus: 'RUNNING' });
  ecs.tasks.set('arn:2', fargateTask('10.0.0.2'));
  expect(await source.discover(never())).toEqual(['10.0.0.2:8001']);
});

test('an error of the API is reported, and the API is asked again', async () => {
  ecs.fault = { status: 400, type: 'ClusterNotFoundException', message: 'Cluster not found.' };
  await expect(source.discover(never())).rejects.toThrow('Cluster not found.');
  ecs.fault = undefined;
  ecs.tasks.set('arn:1', fargateTask('10.0.0.1'));
  expect(await source.discover(never())).toEqual(['10.0.0.1:8001']);
});

test('a request to a hanging API ends on abort', async () => {
  ecs.isHanging = true;
  const stop = new AbortController();
  const answer = source.discover(stop.signal);
  await Promise.all([
    expect(answer).rejects.toThrow('abort'),
    eventually(() => expect(ecs.requests).toHaveLength(1)).then(() => stop.abort()),
  ]);
});
