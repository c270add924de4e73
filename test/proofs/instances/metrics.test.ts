import { expect, jest, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { scrape } from '../../support/metricSamples.js';
import { Cluster } from '../../support/testCluster.js';

jest.setTimeout(120_000);
const within = { withinMs: 30_000 };
const look = { path: '/metrics?fleet=true' };

test('the fleet is told by the leader alone, and posts by the instance that got them', async () => {
  const cluster = await Cluster.start(2);
  const [leader, follower] = [await cluster.leading(), await cluster.follower()];
  await cluster.watch(follower);
  await eventually(
    async () =>
      expect(await scrape(leader)).toMatchObject({
        leader: 1,
        leader_transitions_total: 1,
        connections: 2,
        complete: 1,
        'viewers{stream="changes"}': 0,
      }),
    within,
  );
  const samples = await scrape(follower);
  expect(samples).toMatchObject({
    leader: 0,
    leader_transitions_total: 0,
    leader_gaps_total: 0,
    'viewers{stream="changes"}': 1,
  });
  expect(samples.leader_lag_seconds).toBeGreaterThanOrEqual(0);
  for (const name of Object.keys(samples))
    expect(name).not.toMatch(/^(rooms|connections|complete|servers\{|activation_state)/);
});

test('a follower that is scraped goes on with the fleet when it begins to lead', async () => {
  const cluster = await Cluster.start(2);
  const [leader, follower] = [await cluster.leading(), await cluster.follower()];
  await scrape(follower, look);
  expect(await scrape(follower)).not.toHaveProperty('complete');
  await scrape(leader, look);
  await eventually(async () => expect(await scrape(leader)).toMatchObject({ complete: 1 }), within);
  await cluster.stop(leader);
  await eventually(
    async () =>
      expect(await scrape(follower)).toMatchObject({
        leader: 1,
        leader_transitions_total: 1,
        complete: 1,
        'activation_state{state="active"}': 1,
      }),
    within,
  );
  expect(follower.activation.getSnapshot().matches({ active: 'watched' })).toBe(true);
});
