import got from 'got';
import { Redis } from 'ioredis';
import { startLocalRedis } from '../../server/demo/localRedis.js';
import { type BenchChild, stopAll } from './children.js';
import { startService } from './stage.js';
import { until } from './within.js';

type Service = BenchChild<{ url: string }>;

/** Instances that act as one, each in a process of its own, over a Redis of their own. */
export interface ClusterStage {
  readonly leader: Service;
  readonly followers: readonly Service[];
  /** Commands that Redis has executed, those inside of scripts too. */
  commands(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a leader that knows these servers, and followers. Resolves when all know who leads. */
export async function startCluster(
  servers: readonly string[],
  followers: number,
  env: Record<string, string> = {},
  node: string[] = [],
): Promise<ClusterStage> {
  const redis = await startLocalRedis();
  const cluster = {
    RESYNC_INTERVAL_MS: '3600000',
    MAX_VIEWERS: '20000',
    CLUSTER_URL: redis.url,
    // On a busy machine nobody may lose it: what is posted meanwhile would be missed for ever.
    CLUSTER_LEASE_MS: '6000',
    CLUSTER_SECRET: 'all instances of a benchmark share this',
    ...env,
  };
  const start = () => startService(servers, cluster, node);
  const leader = await start();
  await untilLeads(leader, [leader]);
  const rest: Service[] = [];
  for (let index = 0; index < followers; index += 1) rest.push(await start());
  await untilLeads(leader, [leader, ...rest]);
  const client = new Redis(redis.url);
  return {
    leader,
    followers: rest,
    commands: async () => commandsIn(await client.info('commandstats')),
    stop: async () => {
      client.disconnect();
      // Followers first, so that nobody takes over.
      await stopAll(...rest, leader);
      await redis.stop();
    },
  };
}

interface InstanceRow {
  role: string;
  url: string;
}

const untilLeads = (leader: Service, all: readonly Service[]) =>
  until(
    'every instance knows who leads',
    async () => {
      const answers = all.map(({ ready }) => got(`${ready.url}/api/instances`));
      const rows = await Promise.all(answers.map((answer) => answer.json<InstanceRow[]>()));
      return rows.every((each) =>
        each.some(({ role, url }) => role === 'leading' && url === leader.ready.url),
      );
    },
    20,
  );

function commandsIn(stats: string): number {
  const calls = [...stats.matchAll(/^cmdstat_(?!info)[^:]+:calls=(\d+)/gm)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}
