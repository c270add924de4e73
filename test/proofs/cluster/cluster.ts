import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerProcess, startServerProcess } from '../../../server/demo/pubSubFleet.js';
import {
  type RoundRobinProxy,
  startRoundRobinProxy,
} from '../../../server/demo/roundRobinProxy.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { type RedisServer, startRedis } from '../../support/redisServer.js';
import { Crowd } from './crowd.js';
import { Instance } from './instance.js';
import type { ClusterNetwork } from './network.js';
import { Referee } from './referee.js';
import { Truth } from './truth.js';
import { Watcher } from './watcher.js';

/** The settings of a cluster. */
export interface ClusterOptions {
  /** Default 3; 1 is one instance without a cluster. */
  instances?: number;
  /** Default 3. */
  servers?: number;
  /** Rooms whose counts stay. Default 20. */
  steadyRooms?: number;
  seed?: number;
  /** More variables of the instances. */
  env?: Record<string, string>;
  /** Addresses in networks that can be cut. Default: everything is at 127.0.0.1. */
  network?: ClusterNetwork;
}

/** What `GET /api/instances` says of one, as far as it is used here. */
interface InstanceRow {
  role: string;
  url: string;
  term: number | null;
}

const calmMs = 1_500;
const loopback = '127.0.0.1';

/** Real instances, Redis, pub-sub servers, a proxy and viewers. The caller stops it. */
export class Cluster {
  readonly instances: Instance[] = [];
  readonly servers: ServerProcess[] = [];
  readonly watchers = new Set<Watcher>();
  readonly truth = new Truth();
  readonly options: ClusterOptions;
  /** Logs of the instances. */
  folder = '';
  redis!: RedisServer;
  proxy!: RoundRobinProxy;
  crowd!: Crowd;
  referee!: Referee;
  #watcherNumber = 0;

  private constructor(options: ClusterOptions) {
    this.options = options;
  }

  /** Starts everything but watchers. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      await cluster.#start();
      return cluster;
    } catch (cause) {
      await cluster.stop();
      throw cause;
    }
  }

  async #start(): Promise<void> {
    const { instances = 3, servers = 3, steadyRooms = 20, seed = 1, network } = this.options;
    this.folder = await mkdtemp(join(tmpdir(), 'cluster-'));
    const redisHost = network?.redisHost ?? loopback;
    const hosts = new Set([loopback, redisHost]);
    this.redis = await startRedis({ options: ['--bind', ...hosts, '--protected-mode', 'no'] });
    const proxyPort = await freePort();
    const serversHost = network?.serversHost ?? loopback;
    const proxyHost = network?.proxyHost ?? loopback;
    const dashboardUrl = `http://${proxyHost}:${proxyPort}`;
    const starting = Array.from({ length: servers }, () =>
      startServerProcess({ host: serversHost, dashboardUrl, answerWithinMs: 10_000 }),
    );
    this.servers.push(...(await Promise.all(starting)));
    for (let index = 0; index < instances; index += 1)
      this.instances.push(await this.#instance(index, redisHost));
    const urls = this.instances.map(({ url }) => url);
    await Promise.all(this.instances.map((instance) => instance.start()));
    this.proxy = await startRoundRobinProxy({
      host: proxyHost,
      port: proxyPort,
      instances: urls,
      // Instances see the proxy's address, not those of servers.
      forwardsAddress: network !== undefined,
    });
    const addresses = this.servers.map(({ url }) => url);
    this.crowd = new Crowd({ truth: this.truth, servers: addresses, seed });
    const steady = await this.crowd.settle(steadyRooms);
    const { truth, watchers } = this;
    const ask = (room: string) => this.#countsOf(room);
    this.referee = new Referee({ truth, watchers, steady, ask });
    await eventually(() => {
      if (this.proxy.ready().length < instances) throw new Error('not every instance is ready');
    });
  }

  async #countsOf(room: string): Promise<string> {
    const counts = this.servers.map(async (server) => {
      const { [room]: count = 0 } = await server.connections();
      return `${server.id} ${count}`;
    });
    return (await Promise.all(counts)).join(', ');
  }

  async #instance(index: number, redisHost: string): Promise<Instance> {
    const { instances = 3, network } = this.options;
    const host = network?.instanceHosts[index] ?? loopback;
    const clustered = {
      CLUSTER_URL: `redis://${redisHost}:${this.redis.port}`,
      CLUSTER_SECRET: 'a secret that all instances share',
    };
    return new Instance({
      host,
      port: await freePort(),
      namespace: network?.namespaces[index],
      logFile: join(this.folder, `instance-${index}.log`),
      env: {
        PUBSUB_SERVERS: this.servers.map(({ id }) => id).join(','),
        PUBSUB_NETWORKS: '127.0.0.0/8,10.0.0.0/8',
        AUTH: 'none',
        STATE_DIR: 'none',
        LOG_LEVEL: 'info',
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        ...(network && { TRUSTED_PROXIES: network.proxyHost }),
        ...(instances > 1 && clustered),
        ...this.options.env,
      },
    });
  }

  /** Viewers through the proxy: in turn at each instance. */
  watch(count: number): void {
    for (let index = 0; index < count; index += 1) this.#addWatcher(this.proxy.url);
  }

  /** A viewer at this instance itself. */
  watchAt({ url }: Instance): Watcher {
    return this.#addWatcher(url);
  }

  #addWatcher(url: string): Watcher {
    this.#watcherNumber += 1;
    const watcher: Watcher = new Watcher(`viewer ${this.#watcherNumber}`, url, {
      onEvent: (from, event) => this.referee.onEvent(from, event),
    });
    this.watchers.add(watcher);
    return watcher;
  }

  unwatchAll(): void {
    for (const watcher of this.watchers) watcher.close();
    this.watchers.clear();
  }

  /** Resolves when every viewer has been right and complete for a while. */
  async untilRight(withinMs = 60_000): Promise<void> {
    await eventually(
      () => {
        if (performance.now() - this.referee.lastBadMs() > calmMs) return;
        throw new Error(`not every viewer is right:\n${this.inWords()}`);
      },
      { withinMs },
    );
  }

  /** The instance that leads; of one instance without a cluster, that one. */
  async leader(): Promise<Instance> {
    const [only] = this.instances;
    if (this.instances.length === 1 && only) return only;
    return eventually(async () => {
      const rows = await this.rows();
      const leads = rows.filter(({ role }) => role === 'leader' || role === 'leading');
      const found = this.instances.find(({ url }) => url === leads[0]?.url);
      if (leads.length !== 1 || !found) throw new Error(`who leads? ${JSON.stringify(rows)}`);
      return found;
    });
  }

  async followers(): Promise<Instance[]> {
    const leader = await this.leader();
    return this.instances.filter((instance) => instance !== leader);
  }

  /** `GET /api/instances`, by any instance that is ready. */
  async rows(): Promise<InstanceRow[]> {
    const answer = await fetch(`${this.proxy.url}/api/instances`, {
      signal: AbortSignal.timeout(3_000),
    });
    const body = (await answer.json()) as InstanceRow[] | { instances: InstanceRow[] };
    return Array.isArray(body) ? body : body.instances;
  }

  /** `GET /api/state`, by any instance. */
  async state(): Promise<string> {
    const signal = AbortSignal.timeout(5_000);
    const answer = await fetch(`${this.proxy.url}/api/state`, { signal });
    return ((await answer.json()) as { state: string }).state;
  }

  /** For a failed run. */
  inWords(): string {
    const watchers = [...this.watchers].map((watcher) => watcher.inWords());
    return [...watchers, `logs: ${this.folder}`].join('\n');
  }

  async stop(): Promise<void> {
    this.referee?.stop();
    this.unwatchAll();
    for (const instance of this.instances) instance.resume();
    await this.crowd?.stop().catch(() => undefined);
    await Promise.all(this.instances.map((instance) => instance.kill()));
    await Promise.all(this.servers.map((server) => server.kill()));
    await this.proxy?.stop();
    await this.redis?.stop();
    await this.options.network?.remove();
  }
}
