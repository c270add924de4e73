/** Reads the environment into a `Config`, and checks it. `variables.ts` is the list of variables. */

import type { z } from 'zod';
import {
  hostAndPort,
  isAddress,
  isLoopback,
  parseNetworks,
  privateNetworks,
} from '../addresses.js';
import { adaptToCluster, clusterContradictions } from './cluster.js';
import { warnOfOldVariables } from './oldVariables.js';
import { proxyContradictions } from './proxyUsers.js';
import { type Environment, readVariable } from './readVariable.js';
import { stateDirectory } from './stateDirectory.js';
import { suspicionsOf } from './suspicions.js';
import { variables } from './variables.js';
import { webhookContradictions } from './webhook.js';

type Variable = (typeof variables)[number];
type Value<V extends Variable> = z.output<V['schema']>;

/** The validated configuration of one run. Optional fields have no default. */
export type Config = {
  [V in Variable as undefined extends Value<V> ? never : V['field']]: Value<V>;
} & {
  [V in Variable as undefined extends Value<V> ? V['field'] : never]?: NonNullable<Value<V>>;
};

/** The configuration is not valid. Lists every problem, without secrets. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`The configuration has ${problems.length} problem(s):\n- ${problems.join('\n- ')}`);
    this.problems = problems;
  }
}

/**
 * Reads the configuration from an environment. Throws `ConfigError`. Calls `warn` for values that are
 * ignored or changed, without secrets.
 */
export function readConfig(env: Environment, warn: (warning: string) => void = () => {}): Config {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const { name, field, fallback, schema, hide } of variables) {
    const { text, warning } = readVariable(env, name);
    if (warning) warn(`${name} is ${hide(JSON.stringify(env[name]))}, which ${warning}`);
    const result = schema.safeParse(text ?? fallback);
    if (!result.success) {
      problems.push(`${name} is ${hide(JSON.stringify(text))}: ${result.error.issues[0]?.message}`);
    } else if (result.data !== undefined) {
      config[field] = result.data;
    }
  }
  const stateDir = stateDirectory(env);
  if (stateDir === undefined) delete config.stateDir;
  else config.stateDir = stateDir;
  const isSet = (name: string) => readVariable(env, name).text !== undefined;
  if (!isSet('PUBSUB_NETWORKS') && !isOnThisMachine(config as Partial<Config>))
    config.pubSubNetworks = parseNetworks(privateNetworks);
  adaptToCluster(config as Partial<Config>, isSet);
  // Values that are not valid are absent here. The checks below still check the others.
  problems.push(...contradictions(config as Partial<Config>, isSet('DASHBOARD_TOKEN')));
  problems.push(...clusterContradictions(config as Partial<Config>, isSet));
  problems.push(...webhookContradictions(config as Partial<Config>));
  if (problems.length > 0) throw new ConfigError(problems);
  for (const warning of [...warnOfOldVariables(env), ...suspicionsOf(env)]) warn(warning);
  if (forgetsServers(config as Config)) warn(forgetsServersWarning);
  return config as Config;
}

const forgetsServersWarning =
  'servers are known only from their start-up queries, so a restart of this service forgets them: set PUBSUB_SERVERS or another source of servers, or set STATE_DIR to a folder';

/** Whether a table or a Redis remembers servers over a restart. */
export function isTableKept({ dynamodbServersTable, dataDir, clusterUrl }: Config): boolean {
  return [dynamodbServersTable, dataDir, clusterUrl].some((place) => place !== undefined);
}

/** Whether no source names servers, and nothing remembers them over a restart. */
function forgetsServers(config: Config): boolean {
  const { pubSubServers, pubSubDns, ecsCluster, discoverFromRooms, stateDir, port } = config;
  const hasSource =
    pubSubServers.length > 0 ||
    pubSubDns.length > 0 ||
    ecsCluster !== undefined ||
    discoverFromRooms;
  return !hasSource && !isTableKept(config) && (stateDir === undefined || port === 0);
}

/**
 * Whether loopback is allowed if `PUBSUB_NETWORKS` is unset. If the service listens for other machines, an
 * address in the store or the DNS must not lead it to a service on its own loopback.
 */
function isOnThisMachine({ host, pubSubServers = [] }: Partial<Config>): boolean {
  const hosts = pubSubServers.map((server) => hostAndPort(server).host);
  return host === undefined || [host, ...hosts].some(isLoopback);
}

function contradictions(config: Partial<Config>, hasToken: boolean): string[] {
  const problems: string[] = [];
  const { host, auth, pubSubServers = [], pubSubNetworks, ecsCluster, ecsService } = config;
  const isOpen = auth === 'token' && !hasToken && config.proxyUserHeader === undefined;
  if (host !== undefined && !isLoopback(host) && isOpen) {
    problems.push(
      `DASHBOARD_TOKEN is unset: HOST is "${host}", and listening beyond loopback requires a token, PROXY_USER_HEADER, or AUTH=none`,
    );
  }
  problems.push(...proxyContradictions(config));
  if ((ecsCluster === undefined) !== (ecsService === undefined)) {
    const [unset, set] = ecsCluster === undefined ? ['CLUSTER', 'SERVICE'] : ['SERVICE', 'CLUSTER'];
    problems.push(`ECS_${unset} is unset: ECS_${set} requires it`);
  }
  if (config.pubSubCa !== undefined && config.pubSubTls === false)
    problems.push('PUBSUB_TLS is "false": PUBSUB_CA_FILE requires it');
  problems.push(...tableContradictions(config));
  for (const id of pubSubServers) {
    // Host names are resolved and checked with each request.
    const { host: address } = hostAndPort(id);
    if (!pubSubNetworks || !isAddress(address) || pubSubNetworks.includes(address)) continue;
    problems.push(
      `PUBSUB_SERVERS has "${id}": addresses must lie in PUBSUB_NETWORKS (${pubSubNetworks})`,
    );
  }
  return problems;
}

function tableContradictions(config: Partial<Config>): string[] {
  const { dynamodbTable: rooms, dynamodbServersTable: servers } = config;
  const connections = config.dynamodbConnectionsTable;
  const others = { DYNAMODB_SERVERS_TABLE: servers, DYNAMODB_CONNECTIONS_TABLE: connections };
  const problems: string[] = [];
  for (const [name, table] of Object.entries(others)) {
    if (table === undefined) continue;
    if (rooms === undefined) problems.push(`DYNAMODB_TABLE is unset: ${name} requires it`);
    if (table === rooms)
      problems.push(`${name} is "${table}": it must not be the same table as DYNAMODB_TABLE`);
  }
  if (servers !== undefined && servers === connections) {
    problems.push(
      `DYNAMODB_CONNECTIONS_TABLE is "${servers}": it must not be the same table as DYNAMODB_SERVERS_TABLE`,
    );
  }
  return problems;
}
