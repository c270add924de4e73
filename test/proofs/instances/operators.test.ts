import { expect, jest, test } from '@jest/globals';
import type { InstanceView } from '../../../server/wire/instanceView.js';
import { openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { Cluster } from '../../support/testCluster.js';

jest.setTimeout(120_000);
const within = { withinMs: 30_000 };
const post = { method: 'POST', headers: { 'Content-Type': 'application/json' } };

async function instancesAt({ url }: { url: string }): Promise<InstanceView[]> {
  return JSON.parse((await ask(`${url}/api/instances`)).text);
}
const rolesAt = async (service: { url: string }) =>
  (await instancesAt(service)).map(({ role }) => role).sort();

test('every instance lists all instances, and who leads', async () => {
  const cluster = await Cluster.start(3);
  const leader = await cluster.leading();
  for (const service of cluster.services) {
    await eventually(
      async () => expect(await rolesAt(service)).toEqual(['following', 'following', 'leading']),
      within,
    );
    const leading = (await instancesAt(service)).find(({ role }) => role === 'leading');
    expect(leading).toMatchObject({ url: leader.url, term: expect.any(Number), version: '0.1.0' });
  }
  const first = await cluster.follower();
  await cluster.stop(leader);
  await eventually(
    async () => expect(await rolesAt(first)).toEqual(['following', 'leading']),
    within,
  );
});

test('an instance is ready when it knows a leader, and stays so without Redis', async () => {
  const cluster = await Cluster.start(0);
  const early = await cluster.add();
  expect(await ask(`${early.url}/ready`)).toMatchObject({ status: 503, code: 'no_leader' });
  const late = await cluster.add();
  const both = [early, late];
  for (const { url } of both)
    await eventually(async () => expect((await ask(`${url}/ready`)).status).toBe(200), within);
  await cluster.leading();
  const serversOf = async ({ url }: { url: string }, room: string) =>
    (await ask(`${url}/api/room/servers?room=${room}`)).status;
  for (const service of both) {
    expect(await serversOf(service, 'a')).toBe(200);
    expect(await serversOf(service, 'none')).toBe(404);
  }
  await cluster.redis.stop();
  for (const service of both) {
    await eventually(
      async () =>
        expect(await ask(`${service.url}/api/state`)).toMatchObject({ code: 'no_leader' }),
      within,
    );
    expect((await ask(`${service.url}/ready`)).status).toBe(200);
    // Servers are asked for a room all the same.
    expect(await serversOf(service, 'a')).toBe(200);
    expect(await serversOf(service, 'none')).toBe(404);
    await eventually(async () => expect(await rolesAt(service)).toContain('isolated'), within);
  }
  await cluster.redis.restart();
  for (const { url } of both)
    await eventually(async () => expect((await ask(`${url}/api/state`)).status).toBe(200), within);
});

test('viewers of an instance that stops are called back within 1 to 3 s', async () => {
  const cluster = await Cluster.start(2);
  const follower = await cluster.follower();
  const stream = ask(`${follower.url}/api/events`);
  await eventually(async () => {
    const { viewers } = JSON.parse((await ask(`${follower.url}/api/state`)).text);
    expect(viewers).toBe(1);
  }, within);
  await cluster.stop(follower);
  const { text } = await stream;
  const waitMs = Number(/^retry: (\d+)$/m.exec(text)?.[1]);
  expect(waitMs).toBeGreaterThanOrEqual(1000);
  expect(waitMs).toBeLessThanOrEqual(3000);
});

test('the viewers of counts are counted as with one instance: those of rooms are not among them', async () => {
  const cluster = await Cluster.start(2);
  const follower = await cluster.follower();
  await cluster.watch(follower);
  for (const path of ['/api/room/events?room=a', '/api/updates', '/api/updates'])
    cluster.streams.push(await openEventStream(follower.url, { path }));
  await eventually(async () => {
    const instances = await instancesAt(follower);
    const counts = instances.map(({ role, viewers }) => [role, viewers]).sort();
    expect(counts).toEqual([
      ['following', 1],
      ['leading', 0],
    ]);
    const { viewers } = JSON.parse((await ask(`${follower.url}/api/state`)).text);
    // All viewers of updates together are one more.
    expect(viewers).toBe(2);
  }, within);
});

test('a session holds at every instance, and ends at every one', async () => {
  const cluster = await Cluster.start(2, 1, { DASHBOARD_TOKEN: 'secret' });
  const [one, two] = cluster.services;
  if (!one || !two) throw new Error('no instances');
  await cluster.leading();
  const signedIn = await ask(`${one.url}/api/session`, { ...post, body: '{"token":"secret"}' });
  const Cookie = signedIn.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const state = ({ url }: { url: string }) => ask(`${url}/api/state`, { headers: { Cookie } });
  for (const service of cluster.services)
    await eventually(async () => expect((await state(service)).status).toBe(200), within);
  await ask(`${two.url}/api/session`, { method: 'DELETE', headers: { Cookie } });
  await eventually(async () => expect((await state(one)).status).toBe(401), within);
});
