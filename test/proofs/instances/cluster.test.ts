import { expect, jest, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { nth } from '../../support/fleet.js';
import { Cluster, roleOf } from '../../support/testCluster.js';

jest.setTimeout(60_000);
const within = { withinMs: 20_000 };

test('one of three instances leads, and silences the servers', async () => {
  const cluster = await Cluster.start(3);
  const leader = await cluster.leading();
  await eventually(() => expect(leader.activation.getSnapshot().value).toBe('inactive'), within);
  expect(cluster.told()).not.toContain(true);
  expect(cluster.told().length).toBeGreaterThanOrEqual(2);
  expect(cluster.services.map(roleOf).sort()).toEqual(['following', 'following', 'leading']);
});

test('the first viewer at a follower makes the leader activate, and sees the counts', async () => {
  const cluster = await Cluster.start(3);
  const follower = await cluster.follower();
  const stream = await cluster.watch(follower);
  await eventually(() => {
    expect(stream.rooms()).toEqual({ a: 2 });
    expect(stream.seen()).toMatchObject({ state: 'active', complete: true });
  }, within);
  await cluster.servers[0]?.open('a');
  await eventually(() => expect(stream.rooms()).toEqual({ a: 3 }), within);
});

test('another instance takes over from a leader that stops, and no viewer sees a wrong number', async () => {
  const cluster = await Cluster.start(3);
  const follower = await cluster.follower();
  const stream = await cluster.watch(follower);
  await eventually(() => expect(stream.seen().complete).toBe(true), within);
  const told = cluster.told().length;
  await cluster.stop(await cluster.leading());
  const next = await cluster.leading();
  expect(cluster.services).toContain(next);
  cluster.servers[1]?.rooms.set('a', 5);
  await eventually(() => {
    expect(stream.rooms()).toEqual({ a: 6 });
    expect(stream.seen().complete).toBe(true);
  }, within);
  // Nobody was told to be silent.
  expect(cluster.told().slice(told)).not.toContain(false);
  expect(stream.messages.filter(({ event }) => event === 'snapshot').length).toBe(1);
});

test('a start-up query at a follower makes a new server known, and answers for the leader', async () => {
  const cluster = await Cluster.start(3, 1);
  const followers = await cluster.followers();
  const [follower, other] = [nth(followers, 0), nth(followers, 1)];
  const stream = await cluster.watch(other);
  // The leader tells the others by its beats that the servers post.
  await eventually(() => {
    expect(stream.seen().complete).toBe(true);
    expect(follower.instance.getSnapshot().context.leader?.isActive).toBe(true);
  }, within);
  const newcomer = await cluster.startServer();
  newcomer.rooms.set('b', 1);
  const answer = await newcomer.askAtStartup(follower.url, { port: newcomer.port });
  expect(answer.active).toBe(true);
  await eventually(() => expect(stream.rooms()).toEqual({ a: 1, b: 1 }), within);
});

test('the last viewer anywhere deactivates after the linger time', async () => {
  const cluster = await Cluster.start(2);
  const follower = await cluster.follower();
  const leader = await cluster.leading();
  const stream = await cluster.watch(follower);
  await eventually(() => expect(stream.seen().complete).toBe(true), within);
  await stream.close();
  await eventually(() => expect(leader.activation.getSnapshot().value).toBe('inactive'), within);
  expect(cluster.told().slice(-2)).toEqual([false, false]);
});

test('the last instance of all silences the servers', async () => {
  const cluster = await Cluster.start(2);
  const follower = await cluster.follower();
  const stream = await cluster.watch(await cluster.leading());
  await eventually(() => expect(stream.seen().complete).toBe(true), within);
  await cluster.stop(follower);
  expect(cluster.told().slice(-2)).toEqual([true, true]);
  await cluster.stop(await cluster.leading());
  expect(cluster.told().slice(-2)).toEqual([false, false]);
});
