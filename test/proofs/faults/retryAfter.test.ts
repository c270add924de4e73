/** `Retry-After` of other services. A timer over 2^31 - 1 ms fires at once, so a month would cause a flood. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { runProcess } from '../../support/serviceProcess.js';
import { owns, startDouble } from '../../support/stage.js';

const harness = useHarness();

/** A server that refuses every request for a month, and counts the requests. */
async function startRefusing(status: number) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume();
    response.writeHead(status, { 'Retry-After': '2592000', 'Content-Type': 'application/json' });
    response.end('{"__type":"ThrottlingException","message":"come back in a month"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, (it) => {
    it.close();
    it.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { id: `127.0.0.1:${port}`, requests: () => requests };
}

test.each([503, 429])(
  'a `Retry-After` of a month with %s by a store, ECS or a pub-sub server causes no flood',
  async (status) => {
    const [store, ecs, pubSub] = [
      await startRefusing(status),
      await startRefusing(status),
      await startRefusing(status),
    ];
    const healthy = await startDouble();
    const service = runProcess({
      PUBSUB_SERVERS: `${pubSub.id},${healthy.id}`,
      PROBE_INTERVAL_MS: '1000',
      DYNAMODB_TABLE: 'rooms',
      DYNAMODB_SERVERS_TABLE: 'servers',
      DISCOVER_FROM_ROOMS: 'true',
      ECS_CLUSTER: 'blue',
      ECS_SERVICE: 'pubsub',
      AWS_REGION: 'local',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_ENDPOINT_URL_DYNAMODB: `http://${store.id}`,
      AWS_ENDPOINT_URL_ECS: `http://${ecs.id}`,
    });
    const url = await service.listening;
    await harness.stream({ url });
    const all = [store, ecs, pubSub];
    for (const each of all) await eventually(() => expect(each.requests()).toBeGreaterThan(0));
    // The service probes the healthy server once a second, so this takes some seconds.
    const probes = () => healthy.requests.filter(({ path }) => path === '/health').length;
    await eventually(() => expect(probes()).toBeGreaterThanOrEqual(4));
    for (const each of all) expect(each.requests()).toBeLessThan(60);
    service.child.kill('SIGTERM');
    expect(await service.ended).toBe(0);
  },
);
