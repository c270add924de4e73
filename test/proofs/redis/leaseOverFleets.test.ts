import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { ElectionEvent } from '../../../machines/ports.js';
import { ClusterConnection } from '../../../server/cluster/connect.js';
import { Lease } from '../../../server/cluster/lease.js';
import { RedisClusterStore } from '../../../server/cluster/redisClusterStore.js';
import { redisServersTable } from '../../../server/cluster/redisServersTable.js';
import { type SharedAuth, sharedAuth } from '../../../server/cluster/sharedAuth.js';
import { systemClock } from '../../../server/timing/clock.js';
import { eventually } from '../../support/eventually.js';
import { infoOf } from '../../support/infoOf.js';
import { startCluster, startSentinels } from '../../support/redisFleets.js';
import type { RedisServer } from '../../support/redisServer.js';
import { owns } from '../../support/stage.js';

const secret = 'hunter2';
const leaseMs = 1500;
const beatMs = 500;

const hosts = (servers: readonly RedisServer[]) =>
  servers.map(({ port }) => `127.0.0.1:${port}`).join(',');

/** An instance that campaigns whenever nobody leads. */
async function start(url: string, self: string) {
  const log = pino({ level: 'silent' });
  const connection = owns(new ClusterConnection({ url, log, deadlineMs: beatMs }), (it) =>
    it.close(),
  );
  await connection.connected(60_000);
  const store = owns(new RedisClusterStore(connection, { deadlineMs: beatMs }), (it) => it.close());
  const info = () => infoOf(self);
  const needs = { store, clock: systemClock, self, info, leaseMs, beatMs };
  const lease = owns(new Lease(needs), (it) => it.close());
  const events: ElectionEvent[] = [];
  lease.elect((event) => {
    events.push(event);
    if (event.type === 'leader.gone') lease.campaign();
  });
  lease.start();
  return { self, lease, events, connection };
}

type Instance = Awaited<ReturnType<typeof start>>;

/** The one that leads, when all agree. */
const untilAgreed = (instances: readonly Instance[]) =>
  eventually(() => {
    const [leader, ...others] = instances.filter(({ lease }) => lease.isHeldNow());
    if (!leader || others.length > 0) throw new Error(`${others.length} others lead`);
    for (const { lease } of instances) expect(lease.leader?.term).toBe(leader.lease.current().term);
    return leader;
  });

test('instances over a cluster elect one, and share what they remember', async () => {
  const nodes = await startCluster({ password: secret });
  const url = `redis://:${secret}@${hosts(nodes)}`;
  const instances = [await start(url, 'a'), await start(url, 'b')];
  const leader = await untilAgreed(instances);
  const [a, b] = instances as [Instance, Instance];
  const server = 'server:1' as Parameters<ReturnType<typeof redisServersTable>['remove']>[0];
  const item = { server, origin: 'remembered', expiresAt: Date.now() + 60_000 } as const;
  await redisServersTable(a.connection).put(item);
  expect(await redisServersTable(b.connection).list()).toEqual([item]);
  const shared = instances.map(({ connection }) => sharedAuth(connection, 'secret of a cluster'));
  const [here, there] = shared as [SharedAuth, SharedAuth];
  for (const { signOuts } of shared) owns(signOuts, (it) => it.close());
  for (let i = 0; i < 10; i += 1) await here.attempts.check('192.0.2.1', false);
  await expect(there.attempts.check('192.0.2.1', true)).rejects.toThrow('Too many wrong tokens');
  const seen: string[] = [];
  there.signOuts.follow({ onSignedOut: ({ id }) => seen.push(id), onRefused: () => {} });
  here.signOuts.add({ id: 'one', expiresAt: Date.now() + 60_000 });
  await eventually(() => expect(seen).toEqual(['one']));
  leader.lease.close();
  const [other] = instances.filter((each) => each !== leader);
  await eventually(() => expect(other?.lease.isHeldNow()).toBe(true));
});

test('over Sentinels they elect one again when the primary is killed, with a higher term', async () => {
  const { primary, replica, sentinels } = await startSentinels({ password: secret });
  const url = `redis+sentinel://:${secret}@${hosts(sentinels)}/main`;
  const instances = [await start(url, 'a'), await start(url, 'b'), await start(url, 'c')];
  const before = (await untilAgreed(instances)).lease.current().term;
  await primary.stop();
  await eventually(() => {
    for (const { events } of instances)
      expect(events.map(({ type }) => type)).toContain('redis.answered');
  });
  const after = (await untilAgreed(instances)).lease.current().term;
  expect(after).toBeGreaterThan(before);
  expect(await replica.call('ROLE')).toMatchObject({ 0: 'master' });
});

test('a primary that hangs is left for the next one', async () => {
  const { primary, replica, sentinels } = await startSentinels({ password: secret });
  const url = `redis+sentinel://:${secret}@${hosts(sentinels)}/main`;
  const instances = [await start(url, 'a'), await start(url, 'b')];
  const before = (await untilAgreed(instances)).lease.current().term;
  primary.suspend();
  owns(primary, (it) => it.resume());
  await eventually(async () => expect(await replica.call('ROLE')).toMatchObject({ 0: 'master' }));
  await eventually(() => {
    for (const { events } of instances)
      expect(events.map(({ type }) => type)).toContain('redis.answered');
  });
  const after = (await untilAgreed(instances)).lease.current().term;
  primary.resume();
  expect((await untilAgreed(instances)).lease.current().term).toBe(after);
  expect(after).toBeGreaterThan(before);
});
