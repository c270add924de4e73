import { expect, test } from '@jest/globals';
import { startTestService } from '../../support/service.js';
import { owns } from '../../support/stage.js';
import { fargateTask, startEcs } from '../discovery/ecsDouble.js';
import { startNameServer } from '../discovery/nameServer.js';
import { answers, fails, setVariables, untilSeen } from './support.js';

const serviceWith = async (env: Record<string, string>) =>
  owns(await startTestService(env, { checks: { everyMs: 200 } }), (it) => it.stop());

test('a name server that fails, is silent and recovers is seen without a viewer', async () => {
  const server = owns(await startNameServer(), (it) => it.stop());
  server.names.set('pubsub.test', { A: ['10.0.0.1'] });
  const env = { PUBSUB_DNS: 'pubsub.test,pubsub.test:9000', PUBSUB_DNS_SERVER: server.address };
  const service = await serviceWith(env);
  const name = 'dns:pubsub.test';
  expect(await untilSeen(service, name, answers)).toMatchObject({
    where: `pubsub.test in DNS at ${server.address}`,
  });
  await untilSeen(service, `${name}:9000`, answers);
  server.fault('A', 'SERVFAIL');
  await untilSeen(service, name, fails('the name server cannot answer'));
  server.fault('A', 'silence');
  await untilSeen(service, name, fails('the name server does not answer'));
  server.fault('A', undefined);
  await untilSeen(service, name, answers);
});

test('a name that nobody knows is said to be unknown, until it is known', async () => {
  const server = owns(await startNameServer(), (it) => it.stop());
  const env = { PUBSUB_DNS: 'pubsub.test', PUBSUB_DNS_SERVER: server.address };
  const service = await serviceWith(env);
  await untilSeen(service, 'dns:pubsub.test', fails('unknown host'));
  server.names.set('pubsub.test', { A: ['10.0.0.1'] });
  await untilSeen(service, 'dns:pubsub.test', answers);
});

test('ECS is seen to refuse and to answer', async () => {
  const ecs = owns(await startEcs(2), (it) => it.stop());
  ecs.tasks.set('arn:1', fargateTask('10.0.0.1'));
  setVariables({
    AWS_ENDPOINT_URL_ECS: ecs.url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_MAX_ATTEMPTS: '1',
  });
  const service = await serviceWith({ ECS_CLUSTER: 'blue', ECS_SERVICE: 'pubsub' });
  expect(await untilSeen(service, 'ecs', answers)).toMatchObject({
    where: 'service pubsub in blue',
  });
  const faultOf = (type: string, message = '') => ({ status: 400, type, message });
  ecs.fault = faultOf('ClusterNotFoundException', 'Cluster not found.');
  await untilSeen(service, 'ecs', fails('there is no such ECS cluster'));
  ecs.fault = faultOf('AccessDeniedException', 'User may not call ecs:ListTasks');
  await untilSeen(service, 'ecs', fails('access denied: User may not call ecs:ListTasks'));
  ecs.fault = faultOf('ExpiredTokenException');
  await untilSeen(service, 'ecs', fails('the credentials have expired'));
  ecs.fault = undefined;
  await untilSeen(service, 'ecs', answers);
});
