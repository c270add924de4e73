import { expect, jest, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Cluster, roleOf } from '../../support/testCluster.js';

jest.setTimeout(60_000);
const within = { withinMs: 20_000 };

test('a leader without Redis steps down, and viewers keep the last numbers, incomplete', async () => {
  const cluster = await Cluster.start(2);
  const leader = await cluster.leading();
  const streams = await Promise.all(cluster.services.map((service) => cluster.watch(service)));
  await eventually(() => {
    for (const stream of streams) expect(stream.seen().complete).toBe(true);
  }, within);
  cluster.redis.suspend();
  await eventually(() => {
    expect(cluster.services.map(roleOf)).toEqual(['isolated', 'isolated']);
    for (const stream of streams) {
      expect(stream.seen().complete).toBe(false);
      expect(stream.rooms()).toEqual({ a: 2 });
    }
  }, within);
  const told = cluster.told().length;
  cluster.redis.resume();
  await eventually(() => {
    for (const stream of streams) expect(stream.seen().complete).toBe(true);
  }, within);
  expect(leader.instance.getSnapshot().status).toBe('active');
  expect(cluster.told().slice(told)).not.toContain(false);
  for (const stream of streams)
    expect(stream.messages.filter(({ event }) => event === 'snapshot')).toHaveLength(1);
});
