import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { awsCause } from '../dependencies/awsCause.js';
import { type Check, Checks } from '../dependencies/checks.js';
import { checkTimes } from '../dependencies/checkTimes.js';
import { Dependencies, type Dependency } from '../dependencies/dependencies.js';
import { DependencyLog } from '../dependencies/dependencyLog.js';
import { plainCause } from '../dependencies/plainCause.js';
import type { DiscoverySource } from '../discovery/discoverySource.js';
import { dnsSource } from '../discovery/dnsSource.js';
import { ecsSource } from '../discovery/ecsSource.js';
import { describeTarget } from '../redis/redisTarget.js';

/** The health of what the service uses outside itself. Its owner starts and closes it. */
export interface DependencyParts {
  readonly dependencies: Dependencies;
  /** The Redis of `REDIS_URL` and that of `CLUSTER_URL`; undefined: it is not set. Their connections tell. */
  readonly redis: Dependency | undefined;
  readonly cluster: Dependency | undefined;
  /** The folder of the embedded tables; undefined: they are in memory, or all tables have a name. */
  readonly folder: Dependency | undefined;
  /** A request to a table failed. */
  readonly tableErred: (table: string) => void;
  /** Begins to ask the tables, names in DNS, and ECS. `pauses`: how many times this process was paused. */
  start(pauses: () => number): void;
  /** Ends at once; resolves when nothing of it runs any longer. */
  close(): Promise<void>;
}

/** What tests change about checks. */
export interface CheckOptions {
  everyMs?: number;
  /** Whether tables with a name are asked. Default: true. */
  asksTables?: boolean;
}

const tableKinds = ['rooms', 'servers', 'connections'] as const;

/** Adds every dependency that the configuration names, and what asks those without a connection of their own. */
export function wireDependencies(
  config: Config,
  log: Logger,
  { everyMs, asksTables = true }: CheckOptions = {},
): DependencyParts {
  const dependencies = new Dependencies(Date.now);
  const dependencyLog = new DependencyLog(dependencies, log);
  let pauses = () => 0;
  const checks = new Checks({ everyMs, pauses: () => pauses() });
  const closing: (() => void)[] = [() => dependencyLog.close(), () => checks.close()];
  let isClosed = false;
  let tablesStarted: Promise<void> | undefined;
  const redisAt = (name: string, url: string | undefined) =>
    url === undefined ? undefined : dependencies.add(name, describeTarget(url));
  // Without content no room is watched, and nothing connects to this Redis.
  const redis = redisAt('redis', config.showContent ? config.redisUrl : undefined);
  const cluster = redisAt('cluster', config.clusterUrl);
  const folder = hasFolder(config)
    ? dependencies.add('data_dir', `folder ${config.dataDir}`)
    : undefined;
  const sourceChecks = sourcesOf(config).map(({ where, source }) => {
    closing.push(() => source.close?.());
    return checkOf(source, dependencies.add(source.name, where));
  });
  const tables = (asksTables ? tablesOf(config) : []).map(([kind, table]) => ({
    kind,
    table,
    dependency: dependencies.add(kind, `table ${table}`),
  }));
  /** Loads its code late, because it is large. */
  const startTables = async () => {
    if (tables.length === 0) return;
    const { tableCheck } = await import('../store/dynamodb/tableCheck.js');
    if (isClosed) return;
    for (const { kind, table, dependency } of tables) {
      const check = tableCheck(kind, table, (where) => dependency.locate(where));
      closing.push(() => check.close());
      checks.start({ ...check, dependency, times: checkTimes.table });
    }
  };
  return {
    dependencies,
    redis,
    cluster,
    folder,
    tableErred: (name) => tables.find(({ table }) => table === name)?.dependency.erred(),
    start: (count) => {
      pauses = count;
      for (const check of sourceChecks) checks.start(check);
      tablesStarted = startTables();
      dependencyLog.begin();
    },
    close: async () => {
      isClosed = true;
      for (const close of closing.splice(0)) close();
      await tablesStarted;
    },
  };
}

/** The tables with a name. Embedded ones are part of this service. */
function tablesOf(config: Config) {
  const names = {
    rooms: config.dynamodbTable,
    servers: config.dynamodbServersTable,
    connections: config.dynamodbConnectionsTable,
  };
  return tableKinds.flatMap((kind) => {
    const table = names[kind];
    return table === undefined ? [] : [[kind, table] as const];
  });
}

const hasFolder = (config: Config) =>
  config.dataDir !== undefined && tablesOf(config).length < tableKinds.length;

/** Sources of servers that are not tables. Not those of a leadership: they are asked without viewers too. */
function sourcesOf(config: Config): { where: string; source: DiscoverySource }[] {
  const { pubSubPort, pubSubDns, pubSubDnsServer, ecsCluster, ecsService } = config;
  const nameServer = pubSubDnsServer === undefined ? '' : ` at ${pubSubDnsServer}`;
  const names = new Map(
    pubSubDns.map((name) => {
      const source = dnsSource(name, pubSubPort, pubSubDnsServer);
      return [source.name, { where: `${name.name} in DNS${nameServer}`, source }];
    }),
  );
  if (ecsCluster === undefined || ecsService === undefined) return [...names.values()];
  const source = ecsSource({ cluster: ecsCluster, service: ecsService }, pubSubPort);
  return [...names.values(), { where: `service ${ecsService} in ${ecsCluster}`, source }];
}

function checkOf(source: DiscoverySource, dependency: Dependency): Check {
  const ask = (signal: AbortSignal) => source.discover(signal);
  if (source.name === 'ecs') return { dependency, ask, causeOf: awsCause, times: checkTimes.ecs };
  return { dependency, ask, causeOf: plainCause, times: checkTimes.dns };
}
