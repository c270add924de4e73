import { expect, jest, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { connectTo, startReal, untilTrue } from '../../support/fleet.js';
import { owns } from '../../support/stage.js';
import { startTcpBalancer } from '../../support/tcpBalancer.js';
import { Cluster } from '../../support/testCluster.js';

jest.setTimeout(90_000);
const within = { withinMs: 20_000 };

test('real servers that reach a load balancer only are found and counted, also over a change of the leader', async () => {
  const balancer = owns(await startTcpBalancer(), (it) => it.stop());
  const cluster = await Cluster.start(0, 0);
  for (let i = 0; i < 3; i += 1) {
    const { url } = await cluster.add({ INSTANCE_URL: balancer.url });
    balancer.targets.push(url);
  }
  const leader = await cluster.leading();
  const follower = await cluster.follower();
  const stream = await cluster.watch(follower);
  const servers = [
    await startReal({ dashboardUrl: balancer.url }),
    await startReal({ dashboardUrl: balancer.url }),
  ];
  const open = (i: number) => connectTo(servers[i % 2] ?? { url: '' }, `room-${i % 5}`);
  const first = await open(0);
  await untilTrue(stream, servers, within);
  // Every post goes to another instance by chance: each is counted once.
  const connections = [first];
  for (let i = 1; i < 30; i += 1) connections.push(await open(i));
  await untilTrue(stream, servers, within);
  for (const connection of connections.splice(0, 15)) connection.terminate();
  await untilTrue(stream, servers, within);
  expect(stream.seen().complete).toBe(true);

  balancer.targets.splice(balancer.targets.indexOf(leader.url), 1);
  const stopping = cluster.stop(leader);
  for (let i = 0; i < 20; i += 1) connections.push(await open(i));
  await stopping;
  await cluster.leading();
  for (const connection of connections.splice(0, 10)) connection.terminate();
  await untilTrue(stream, servers, within);
  await eventually(() => expect(stream.seen().complete).toBe(true), within);
  // No map was empty in between.
  const maps = stream.messages.filter(({ event }) => event === 'snapshot').slice(1);
  for (const { data } of maps) expect(JSON.parse(data).rooms).not.toEqual({});
});
