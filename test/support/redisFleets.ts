import { freePort } from '../../server/demo/serviceChild.js';
import { eventually } from './eventually.js';
import { type RedisServer, startRedis } from './redisServer.js';
import { owns } from './stage.js';

const ownRedis = async (options: Parameters<typeof startRedis>[0]) =>
  owns(await startRedis(options), (it) => it.stop());

/** Starts a cluster of three real nodes without replicas. It ends with its test. */
export async function startCluster({ password }: { password?: string } = {}) {
  const nodes: RedisServer[] = [];
  const buses: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    const bus = await freePort();
    const options = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`];
    // The other nodes go on without a node that has ended.
    options.push('--cluster-require-full-coverage', 'no', '--cluster-node-timeout', '1000');
    nodes.push(await ownRedis({ options, ...(password && { password }) }));
    buses.push(bus);
  }
  const [first, ...others] = nodes as [RedisServer, RedisServer, RedisServer];
  for (const [i, node] of nodes.entries())
    await node.call(
      'CLUSTER',
      'ADDSLOTSRANGE',
      `${i * 5461}`,
      `${i === 2 ? 16_383 : i * 5461 + 5460}`,
    );
  for (const [i, { port }] of others.entries())
    await first.call('CLUSTER', 'MEET', '127.0.0.1', `${port}`, `${buses[i + 1]}`);
  await eventually(async () => {
    for (const node of nodes) {
      const info = String(await node.call('CLUSTER', 'INFO'));
      if (!info.includes('cluster_state:ok') || !info.includes('cluster_size:3'))
        throw new Error(info);
    }
  });
  return nodes as [RedisServer, RedisServer, RedisServer];
}

/** Starts a primary, a replica and three real Sentinels. They end with the test. */
export async function startSentinels({ password }: { password?: string } = {}) {
  const auth = password ? ['--masterauth', password] : [];
  const secret = password ? { password } : {};
  const primary = await ownRedis({ ...secret, options: auth });
  const follow = ['--replicaof', '127.0.0.1', `${primary.port}`, ...auth];
  const replica = await ownRedis({ ...secret, options: follow });
  await eventually(async () => {
    const role = (await replica.call('ROLE')) as unknown[];
    if (role[3] !== 'connected') throw new Error(`the replica is ${role}`);
  });
  const monitored = [
    `sentinel monitor main 127.0.0.1 ${primary.port} 2`,
    'sentinel down-after-milliseconds main 1000',
    'sentinel failover-timeout main 5000',
    ...(password ? [`sentinel auth-pass main ${password}`] : []),
  ];
  const sentinels: RedisServer[] = [];
  for (let i = 0; i < 3; i += 1) sentinels.push(await ownRedis({ sentinel: monitored }));
  // They discover each other and the replica through the primary.
  await eventually(async () => {
    for (const sentinel of sentinels) {
      const about = (await sentinel.call('SENTINEL', 'MASTER', 'main')) as string[];
      const fieldOf = (name: string) => about[about.indexOf(name) + 1];
      if (fieldOf('num-other-sentinels') !== '2' || fieldOf('num-slaves') !== '1')
        throw new Error(about.join(' '));
    }
  });
  return { primary, replica, sentinels };
}
