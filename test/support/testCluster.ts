import { afterEach } from '@jest/globals';
import type { Leader } from '../../machines/ports.js';
import type { Service, ServiceOverrides } from '../../server/service.js';
import { clusterSecret } from './clusterNeeds.js';
import { emptyStore } from './emptyStore.js';
import { type EventStream, openEventStream } from './eventStream.js';
import { eventually } from './eventually.js';
import { nth } from './fleet.js';
import { type RedisServer, startRedis } from './redisServer.js';
import { type ScriptedServer, startScriptedServer } from './scriptedServer.js';
import { startTestService } from './service.js';

const env = {
  CLUSTER_SECRET: clusterSecret,
  // Longer than a busy machine stands still.
  CLUSTER_LEASE_MS: '2400',
  CLUSTER_BEAT_MS: '400',
  LINGER_MS: '5500',
  PROBE_INTERVAL_MS: '500',
  RESYNC_INTERVAL_MS: '2000',
  REQUEST_TIMEOUT_MS: '2000',
  FRAME_INTERVAL_MS: '5',
};

/** Several instances in this process over a real Redis, with scripted pub-sub servers. */
export class Cluster {
  readonly servers: ScriptedServer[] = [];
  readonly services: Service[] = [];
  readonly streams: EventStream[] = [];
  readonly redis: RedisServer;

  static async start(instances: number, servers = 2, change: Record<string, string> = {}) {
    const cluster = new Cluster(await startRedis());
    clusters.push(cluster);
    for (let i = 0; i < servers; i += 1) (await cluster.startServer()).rooms.set('a', 1);
    for (let i = 0; i < instances; i += 1) await cluster.add(change);
    return cluster;
  }

  private constructor(redis: RedisServer) {
    this.redis = redis;
  }

  /** A scripted pub-sub server. Instances that are started later know it. */
  async startServer(): Promise<ScriptedServer> {
    const server = await startScriptedServer();
    this.servers.push(server);
    return server;
  }

  async add(
    change: Record<string, string> = {},
    overrides: ServiceOverrides = {},
  ): Promise<Service> {
    const service = await startTestService(
      {
        ...env,
        CLUSTER_URL: this.redis.url,
        PUBSUB_SERVERS: this.servers.map(({ id }) => id).join(','),
        ...change,
      },
      { openStore: async () => emptyStore, ...overrides },
    );
    this.services.push(service);
    return service;
  }

  /** Resolves with the instance that leads, as all agree. */
  leading(): Promise<Service> {
    return eventually(() => {
      const leaders = this.services.filter((service) => roleOf(service) === 'leading');
      const terms = this.services.map(termSeenBy);
      const [leader] = leaders;
      if (!leader || leaders.length > 1 || new Set(terms).size > 1 || terms.includes(undefined))
        throw new Error(`roles: ${this.services.map(roleOf)}, terms: ${terms}`);
      return leader;
    });
  }

  async followers(): Promise<Service[]> {
    const leader = await this.leading();
    return this.services.filter((service) => service !== leader);
  }

  /** One of those that follow. */
  async follower(): Promise<Service> {
    return nth(await this.followers(), 0);
  }

  async watch(service: Service, headers: Record<string, string> = {}): Promise<EventStream> {
    const path = '/api/events?stream=changes';
    const stream = await openEventStream(service.url, { path, headers });
    this.streams.push(stream);
    return stream;
  }

  /** Stops an instance as SIGTERM does. */
  async stop(service: Service): Promise<void> {
    this.services.splice(this.services.indexOf(service), 1);
    await service.stop();
  }

  /** What the servers were told so far, in order: true for each activation. */
  told(): boolean[] {
    return this.servers
      .flatMap(({ requests }) => requests.filter(({ method }) => method === 'PUT'))
      .sort((one, other) => one.at - other.at)
      .map(({ body }) => JSON.parse(body).active);
  }

  async end(): Promise<void> {
    await Promise.all(this.streams.map((stream) => stream.close()));
    for (const server of this.servers) server.release();
    await Promise.all(this.services.map((service) => service.stop()));
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.redis.stop();
  }
}

const clusters: Cluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.end();
});

/** `following`, `leading` and so on. */
export function roleOf({ instance }: Service): string {
  const { value } = instance.getSnapshot();
  if (typeof value === 'string') return value;
  const { clustered } = value as { clustered: string | object };
  return typeof clustered === 'string' ? clustered : (Object.keys(clustered)[0] ?? '');
}

function termSeenBy(service: Service): number | undefined {
  const { leader, term } = service.instance.getSnapshot().context as {
    leader: Leader | undefined;
    term: number | undefined;
  };
  return roleOf(service) === 'leading' ? term : leader?.term;
}
