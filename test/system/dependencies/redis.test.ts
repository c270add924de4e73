import { describe, expect, test } from '@jest/globals';
import { freePort } from '../../../server/demo/serviceChild.js';
import { ask } from '../../support/http.js';
import { startRedis } from '../../support/redisServer.js';
import { startTestService } from '../../support/service.js';
import { owns } from '../../support/stage.js';
import { startUnresponsivePorts } from '../../support/unresponsivePorts.js';
import { answers, dependenciesOf, fails, untilSeen } from './support.js';

const secret = 'a-secret-of-16-characters';
const redisAt = async (options: Parameters<typeof startRedis>[0] = {}) =>
  owns(await startRedis(options), (it) => it.stop());

const serviceWith = async (env: Record<string, string> = {}) =>
  owns(await startTestService(env), (it) => it.stop());

/** The two Redis of a service: the variables that name one, and the name of the dependency. */
describe.each([
  ['redis', (url: string): Record<string, string> => ({ REDIS_URL: url })],
  [
    'cluster',
    (url: string): Record<string, string> => ({ CLUSTER_URL: url, CLUSTER_SECRET: secret }),
  ],
])('the Redis of the %s', (name, variables) => {
  const start = (url: string) => serviceWith(variables(url));

  test('is seen to be killed and revived, without a viewer', async () => {
    const redis = await redisAt();
    const service = await start(redis.url);
    const { where, since } = await untilSeen(service, name, answers);
    expect(where).toBe(`127.0.0.1:${redis.port}`);
    await redis.stop();
    const failing = await untilSeen(service, name, fails('connection refused'));
    expect(Date.parse(`${failing.since}`)).toBeGreaterThanOrEqual(Date.parse(`${since}`));
    expect(failing.errors).toBeGreaterThanOrEqual(1);
    await redis.restart();
    await untilSeen(service, name, answers);
  });

  test('that is down at the start is seen to come', async () => {
    const port = await freePort();
    const service = await start(`redis://127.0.0.1:${port}`);
    await untilSeen(service, name, fails('connection refused'));
    await redisAt({ port });
    await untilSeen(service, name, answers);
  });

  test('that requires a password says so, until it does not', async () => {
    const redis = await redisAt({ password: 'x' });
    const service = await start(redis.url);
    await untilSeen(service, name, fails('NOAUTH'));
    await redis.call('CONFIG', 'SET', 'requirepass', '');
    await untilSeen(service, name, answers);
  });

  test('that knows another password says so, without the password', async () => {
    const redis = await redisAt({ password: 'right' });
    const service = await start(redis.url.replace('//', '//:wrong-one@'));
    const { cause } = await untilSeen(service, name, fails('WRONGPASS'));
    expect(cause).not.toContain('wrong-one');
  });

  test('that hangs is seen to, and to go on', async () => {
    const redis = await redisAt();
    const service = await start(redis.url);
    await untilSeen(service, name, answers);
    redis.suspend();
    owns(redis, (it) => it.resume());
    await untilSeen(service, name, { state: 'fails' });
    redis.resume();
    await untilSeen(service, name, answers);
  });

  test('that hangs from the start does not hinder it', async () => {
    const [port] = await startUnresponsivePorts(1);
    const service = await start(`redis://127.0.0.1:${port?.port}`);
    await untilSeen(service, name, { state: 'fails' });
    expect((await ask(`${service.url}/health`)).status).toBe(200);
  });

  test('is named by a host that does not exist', async () => {
    const service = await start('redis://redis.invalid:6379');
    expect(await untilSeen(service, name, { state: 'fails' })).toMatchObject({
      where: 'redis.invalid:6379',
      cause: expect.stringMatching(/^(unknown host|the name server does not answer)$/),
    });
  });
});

test('the same is in the state of the service', async () => {
  const redis = await redisAt();
  const service = await serviceWith({ REDIS_URL: redis.url });
  await untilSeen(service, 'redis', answers);
  const { dependencies } = JSON.parse((await ask(`${service.url}/api/state`)).text);
  expect(dependencies).toEqual(await dependenciesOf(service));
});

test('an instance that knows no leader still tells what fails', async () => {
  const port = await freePort();
  const variables = { CLUSTER_URL: `redis://127.0.0.1:${port}`, CLUSTER_SECRET: secret };
  const service = await serviceWith(variables);
  expect((await ask(`${service.url}/api/state`)).status).toBe(503);
  await untilSeen(service, 'cluster', fails('connection refused'));
});

test('a service without anything outside has no dependencies', async () => {
  expect(await dependenciesOf(await serviceWith())).toEqual([]);
});

test('a service that hides content does not use the Redis of the rooms', async () => {
  const env = { REDIS_URL: 'redis://127.0.0.1:9', SHOW_CONTENT: 'false' };
  expect(await dependenciesOf(await serviceWith(env))).toEqual([]);
});

test('a Redis of the cluster that answers but refuses commands says so, until it takes them', async () => {
  const redis = await redisAt();
  const service = await serviceWith({ CLUSTER_URL: redis.url, CLUSTER_SECRET: secret });
  await untilSeen(service, 'cluster', answers);
  await redis.call('ACL', 'SETUSER', 'default', '-@scripting');
  await untilSeen(service, 'cluster', fails('NOPERM'));
  await redis.call('ACL', 'SETUSER', 'default', '+@all');
  await untilSeen(service, 'cluster', answers);
});
