import { expect, jest, test } from '@jest/globals';
import type { Service } from '../../../server/service.js';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';
import { eventually } from '../../support/eventually.js';
import { nth } from '../../support/fleet.js';
import { getJson } from '../../support/stage.js';
import { Cluster } from '../../support/testCluster.js';

jest.setTimeout(120_000);

const activityOf = ({ url }: Service) => getJson<ActivityEvent[]>(`${url}/api/activity`);
const named = (events: readonly ActivityEvent[]) =>
  events.map(({ kind, subject }) => `${kind} ${subject.name}`);

test('every instance answers with the activity of all, and tells its viewers', async () => {
  const cluster = await Cluster.start(2);
  const [leader, follower] = [await cluster.leading(), await cluster.follower()];
  await eventually(async () => {
    const events = named(await activityOf(follower));
    expect(events).toEqual(
      expect.arrayContaining([
        `instance.leading ${leader.url}`,
        `instance.following ${follower.url}`,
      ]),
    );
    expect(named(await activityOf(leader))).toEqual(events);
  });
  const stream = await cluster.watch(follower);
  await eventually(() => expect(stream.seen().complete).toBe(true));
  const server = nth(cluster.servers, 0);
  server.respond({ kind: 'status', status: 500 });
  server.respond({ kind: 'status', status: 500, to: 'health' });
  await eventually(() => {
    const told = stream.messages.filter(({ event }) => event === 'activity');
    const events = told.flatMap(({ data }) => JSON.parse(data).events as ActivityEvent[]);
    expect(named(events)).toContain(`server.unreachable ${server.id}`);
  });
});

test('the next leader knows what happened before', async () => {
  const cluster = await Cluster.start(2);
  const [leader, follower] = [await cluster.leading(), await cluster.follower()];
  const before = `instance.leading ${leader.url}`;
  await eventually(async () => expect(named(await activityOf(follower))).toContain(before));
  await cluster.stop(leader);
  await eventually(async () => {
    const events = named(await activityOf(follower));
    expect(events).toEqual(expect.arrayContaining([before, `instance.leading ${follower.url}`]));
    expect(new Set(events.filter((event) => event === before)).size).toBe(1);
  });
});

test('without Redis an instance answers with what it knows', async () => {
  const cluster = await Cluster.start(1);
  const instance = await cluster.leading();
  await cluster.redis.stop();
  await eventually(async () =>
    expect(named(await activityOf(instance))).toContain(`instance.isolated ${instance.url}`),
  );
});
