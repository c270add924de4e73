import { expect, jest, test } from '@jest/globals';
import type { Service } from '../../../server/service.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { nth } from '../../support/fleet.js';
import { post } from '../../support/http.js';
import { type ScriptedServer, startScriptedServer } from '../../support/scriptedServer.js';
import { Cluster, roleOf } from '../../support/testCluster.js';

jest.setTimeout(60_000);
const within = { withinMs: 20_000 };

/** A cluster that a viewer watches at a follower, with all counts known. */
async function watched(servers = 1): Promise<{
  cluster: Cluster;
  leader: Service;
  follower: Service;
  stream: EventStream;
}> {
  const cluster = await Cluster.start(2, servers);
  const leader = await cluster.leading();
  const follower = await cluster.follower();
  const stream = await cluster.watch(follower);
  await eventually(() => {
    expect(stream.seen().complete).toBe(true);
    // It learns that with its next beat.
    expect(follower.instance.getSnapshot().context.leader?.isActive).toBe(true);
  }, within);
  return { cluster, leader, follower, stream };
}

/** The URL that a server was told, at another instance: as if a load balancer had passed the post there. */
function urlAt(service: Service, { eventsUrl = '' }: ScriptedServer): string {
  const { pathname, search } = new URL(eventsUrl);
  return service.url + pathname + search;
}

const delta = (add: number) => ({ room: 'a', add });

test('a post that reaches a follower is counted by the leader', async () => {
  const { cluster, follower, stream } = await watched();
  const server = nth(cluster.servers, 0);
  for (let i = 0; i < 5; i += 1)
    expect((await post(urlAt(follower, server), delta(1))).status).toBe(204);
  expect((await post(urlAt(follower, server), delta(-1))).status).toBe(204);
  await eventually(() => expect(stream.rooms()).toEqual({ a: 5 }), within);
  // The server itself has one connection. If its numbers had been taken again, that would be seen.
  expect(cluster.told()).toEqual([false, true]);
});

test('a start-up query at a follower makes an unknown server known to the leader, and its rooms to viewers', async () => {
  const { cluster, follower, stream } = await watched();
  const server = await startScriptedServer();
  cluster.servers.push(server);
  server.rooms.set('b', 3);
  const answer = await server.askAtStartup(follower.url, { port: server.port });
  expect(answer.active).toBe(true);
  await eventually(() => expect(stream.rooms()).toEqual({ a: 1, b: 3 }), within);
  expect(await server.open('b')).toEqual({ status: 204 });
  await eventually(() => expect(stream.rooms()).toEqual({ a: 1, b: 4 }), within);
});

test('a server that asks while Redis hangs and nobody leads is found by the next leader', async () => {
  const { cluster, leader, follower, stream } = await watched();
  cluster.redis.suspend();
  await eventually(() => {
    expect([leader, follower].map(roleOf)).toEqual(['isolated', 'isolated']);
  }, within);
  const server = await startScriptedServer();
  cluster.servers.push(server);
  server.rooms.set('b', 3);
  await server.askAtStartup(follower.url, { port: server.port });
  cluster.redis.resume();
  await eventually(() => expect(stream.rooms()).toEqual({ a: 1, b: 3 }), within);
});

test('after a takeover, posts to a URL of the leader before are not counted, and are evidence', async () => {
  const { cluster, leader, follower, stream } = await watched();
  const server = nth(cluster.servers, 0);
  const old = urlAt(follower, server);
  await cluster.stop(leader);
  await cluster.leading();
  const asked = () => server.requests.filter(({ method }) => method === 'PUT').length;
  await eventually(() => {
    expect(server.eventsUrl).not.toContain(new URL(old).search);
    expect(stream.seen().complete).toBe(true);
  }, within);
  const before = asked();
  expect((await post(old, delta(100))).status).toBe(204);
  await eventually(() => expect(asked()).toBeGreaterThan(before), { withinMs: 1500 });
  await eventually(() => expect(stream.rooms()).toEqual({ a: 1 }), within);
});

test('a server that restarts and asks a follower is counted from its new snapshot', async () => {
  const { cluster, follower, stream } = await watched();
  const server = nth(cluster.servers, 0);
  await server.open('a');
  await eventually(() => expect(stream.rooms()).toEqual({ a: 2 }), within);
  server.restart();
  expect((await server.askAtStartup(follower.url, { port: server.port })).active).toBe(true);
  await server.open('c');
  await eventually(() => expect(stream.rooms()).toEqual({ c: 1 }), within);
});
