/** Configuration: one list of variables. The reader, the types, the messages and the table in the docs follow from it. */

import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { z } from 'zod';
import {
  defaultNetworks,
  hostAndPort,
  isAddress,
  isLinkLocal,
  isLoopback,
  normalizeHost,
  parseNetworks,
  privateNetworks,
} from '../addresses.js';
import { type Environment, readVariable } from './environment.js';
import { warnOfOldVariables } from './oldVariables.js';
import { stateDirectory } from './stateDirectory.js';
import {
  bytes,
  flag,
  integer,
  oneOf,
  parseChannelPart,
  parseDnsNames,
  parseDnsServer,
  parsed,
  parseHostNames,
  parseOrigins,
  parsePublicUrl,
  parseRedisUrl,
  parseServerIds,
  parseTable,
} from './values.js';

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Every variable: its name, its field in `Config`, its default text, its meaning, and the schema that reads
 * it. `shown` is the default in the docs if it is not a text.
 */
const definitions = [
  define('HOST', 'host', '127.0.0.1', 'address to listen on', parsed(normalizeHost)),
  define('PORT', 'port', '8000', 'port to listen on; 0 takes any free one', integer(0, 65_535)),
  define(
    'PUBLIC_URL',
    'publicUrl',
    undefined,
    'URL under which pub-sub servers reach this service: http or https, with or without a path. Unset: `HOST`, or if that is a wildcard, the local address of the connection to each server',
    parsed(parsePublicUrl).optional(),
    { shown: 'by connection', hide: hideCredentials },
  ),
  define(
    'PUBSUB_SERVERS',
    'pubSubServers',
    undefined,
    'servers known from the start: `host:port,host:port`',
    parsed(parseServerIds).default([]),
  ),
  define(
    'PUBSUB_PORT',
    'pubSubPort',
    '8001',
    'port of a pub-sub server known only by its address',
    integer(1, 65_535),
  ),
  define(
    'PUBSUB_NETWORKS',
    'pubSubNetworks',
    defaultNetworks,
    'CIDR list: addresses that may be pub-sub servers. No other address is contacted. Unset: loopback is included only if `HOST` or a server of `PUBSUB_SERVERS` is loopback',
    parsed(parseNetworks),
  ),
  define(
    'PUBSUB_DNS',
    'pubSubDns',
    undefined,
    'host names whose A and AAAA records are pub-sub servers: `name,name:port`. Default port: `PUBSUB_PORT`',
    parsed(parseDnsNames).default([]),
  ),
  define(
    'PUBSUB_DNS_SERVER',
    'pubSubDnsServer',
    undefined,
    "name server for `PUBSUB_DNS`: `address:port`. Default port: 53. Unset: the system's name server",
    parsed(parseDnsServer).optional(),
  ),
  define(
    'ECS_CLUSTER',
    'ecsCluster',
    undefined,
    'ECS cluster whose running tasks of `ECS_SERVICE` are pub-sub servers',
    z.string().trim().optional(),
  ),
  define(
    'ECS_SERVICE',
    'ecsService',
    undefined,
    'ECS service in `ECS_CLUSTER`. Set both or neither',
    z.string().trim().optional(),
  ),
  define(
    'DISCOVER_FROM_ROOMS',
    'discoverFromRooms',
    'false',
    '`true`: finds servers in the rooms table. Reads the whole table, bit by bit, while there are viewers; the store charges for it',
    flag(),
  ),
  define(
    'DYNAMODB_TABLE',
    'dynamodbTable',
    undefined,
    'DynamoDB table of rooms, written by the pub-sub servers: name or ARN. Unset: a table embedded in this service',
    parsed(parseTable).optional(),
  ),
  define(
    'DYNAMODB_SERVERS_TABLE',
    'dynamodbServersTable',
    undefined,
    'DynamoDB table of pub-sub servers that register themselves or are remembered. Unset: embedded',
    parsed(parseTable).optional(),
  ),
  define(
    'DYNAMODB_CONNECTIONS_TABLE',
    'dynamodbConnectionsTable',
    undefined,
    'DynamoDB table of the connections of the last 48 hours. Unset: embedded',
    parsed(parseTable).optional(),
  ),
  define(
    'DATA_DIR',
    'dataDir',
    undefined,
    'folder for embedded tables. Unset: they are in memory and lost with the process',
    z.string().optional(),
  ),
  define(
    'STATE_DIR',
    'stateDir',
    undefined,
    'folder that remembers servers found by their start-up query, in one file for each `HOST` and `PORT`. `none`: nowhere. Not used with `DATA_DIR`, `DYNAMODB_SERVERS_TABLE` or `PORT=0`',
    z.string().optional(),
    {
      shown:
        '$STATE_DIRECTORY, else $XDG_STATE_HOME/pubsub-dashboard, else ~/.local/state/pubsub-dashboard',
    },
  ),
  define(
    'REDIS_URL',
    'redisUrl',
    undefined,
    'Redis on which the pub-sub servers publish updates: `redis://` or `rediss://`, one server, a cluster or Sentinels: see [Redis](#redis). Unset: watched rooms are polled',
    parsed(parseRedisUrl).optional(),
    { hide: () => 'set (not shown)' },
  ),
  define(
    'REDIS_SENTINEL_PASSWORD',
    'redisSentinelPassword',
    undefined,
    'password of the Sentinels, if they need one',
    z.string().optional(),
    { hide: () => 'set (not shown)' },
  ),
  define(
    'REDIS_CHANNEL_PREFIX',
    'redisChannelPrefix',
    undefined,
    "prefix of channel names: the channel of a room is this prefix and the room's name",
    parsed(parseChannelPart).default(''),
  ),
  define(
    'REDIS_PRESENCE_SUFFIX',
    'redisPresenceSuffix',
    '-presence',
    'suffix of the channel for awareness, after prefix and name',
    parsed(parseChannelPart),
  ),
  define(
    'DASHBOARD_TOKEN',
    'dashboardToken',
    undefined,
    'bearer token for viewers. Required to listen beyond loopback, unless `AUTH=none`',
    z
      .string()
      .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters without spaces')
      .optional(),
    { hide: () => 'set (not shown)' },
  ),
  define(
    'AUTH',
    'auth',
    'token',
    '`token`: viewers need `DASHBOARD_TOKEN`. `none`: they need nothing',
    oneOf(['token', 'none']),
  ),
  define(
    'CORS_ORIGINS',
    'corsOrigins',
    undefined,
    'other origins whose pages may read this service: `https://a.example,https://b.example`, or `*` for all',
    parsed(parseOrigins).default([]),
  ),
  define(
    'ALLOWED_HOSTS',
    'allowedHosts',
    undefined,
    'host names of this service for viewers, besides IP addresses, `localhost` and the name in `PUBLIC_URL`: `a.example,b.example`, or `*` for all. Unset: no others without a token, all with one',
    parsed(parseHostNames).optional(),
  ),
  define(
    'TRUSTED_PROXIES',
    'trustedProxies',
    undefined,
    'CIDR list: proxies of viewers whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host` are trusted',
    parsed(parseNetworks).optional(),
  ),
  define(
    'LINGER_MS',
    'lingerMs',
    '5000',
    'how long servers stay active after the last viewer has left',
    integer(0, dayMs, 'milliseconds'),
  ),
  define(
    'REQUEST_TIMEOUT_MS',
    'requestTimeoutMs',
    '2000',
    'timeout of a request to a pub-sub server',
    integer(10, dayMs, 'milliseconds'),
  ),
  define(
    'PROBE_INTERVAL_MS',
    'probeIntervalMs',
    '5000',
    'time between liveness probes of a server',
    integer(10, dayMs, 'milliseconds'),
  ),
  define(
    'RESYNC_INTERVAL_MS',
    'resyncIntervalMs',
    '30000',
    'time between two regular snapshots of a server',
    integer(10, dayMs, 'milliseconds'),
  ),
  define(
    'FRAME_INTERVAL_MS',
    'frameIntervalMs',
    '50',
    'minimum time between two frames to a viewer',
    integer(0, 60_000, 'milliseconds'),
  ),
  define(
    'MAX_VIEWERS',
    'maxViewers',
    '10000',
    'maximum of open event streams',
    integer(1, 1_000_000),
  ),
  define(
    'MAX_VIEWERS_PER_ADDRESS',
    'maxViewersPerAddress',
    '1000',
    'maximum of open event streams from one address, or one /64 of IPv6. Loopback is not limited',
    integer(1, 1_000_000),
  ),
  define(
    'MAX_ROOMS_PER_SERVER',
    'maxRoomsPerServer',
    '250000',
    'maximum of rooms with connections for one pub-sub server. Others are left out, and the totals are not complete',
    integer(1, 10_000_000),
  ),
  define(
    'MAX_BODY_BYTES',
    'maxBodyBytes',
    '1 MiB',
    'largest body of a post to this service. Larger ones get 413',
    bytes(),
  ),
  define(
    'MAX_SNAPSHOT_BYTES',
    'maxSnapshotBytes',
    '64 MiB',
    'largest answer read from a pub-sub server',
    bytes(),
  ),
  define(
    'MAX_ROOM_BYTES',
    'maxRoomBytes',
    '32 MiB',
    'largest document of a watched room. A larger one is passed on without being merged, and without JSON',
    bytes('64 MiB'),
  ),
  define(
    'INSPECT',
    'inspect',
    'false',
    '`true`: viewers can open the Stately inspector at `/inspect`. Makes the service somewhat slower',
    flag(),
  ),
  define(
    'LOG_LEVEL',
    'logLevel',
    'info',
    'lowest level that is logged: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, or `silent`',
    oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  ),
] as const;

/** Every variable as the docs show it; `docs/deploy.md` has the same table. */
export const variables: readonly Variable[] = definitions.map((definition) => ({
  name: definition.name,
  default: definition.shown,
  meaning: definition.meaning,
}));

/** One row of the configuration table. */
export interface Variable {
  name: string;
  default: string;
  meaning: string;
}

type Definitions = (typeof definitions)[number];
type Value<D extends Definitions> = z.output<D['schema']>;

/** The validated configuration of one run. Optional fields have no default. */
export type Config = {
  [D in Definitions as undefined extends Value<D> ? never : D['field']]: Value<D>;
} & {
  [D in Definitions as undefined extends Value<D> ? D['field'] : never]?: NonNullable<Value<D>>;
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
  for (const { name, field, fallback, schema, hide } of definitions) {
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
  if (!readVariable(env, 'PUBSUB_NETWORKS').text && !isOnThisMachine(config as Partial<Config>))
    config.pubSubNetworks = parseNetworks(privateNetworks);
  // Values that are not valid are absent here. The checks below still check the others.
  const hasToken = readVariable(env, 'DASHBOARD_TOKEN').text !== undefined;
  problems.push(...contradictions(config as Partial<Config>, hasToken));
  if (problems.length > 0) throw new ConfigError(problems);
  for (const warning of warnOfOldVariables(env)) warn(warning);
  if (forgetsServers(config as Config)) warn(forgetsServersWarning);
  return config as Config;
}

const forgetsServersWarning =
  'servers are known only from their start-up queries, so a restart of this service forgets them: set PUBSUB_SERVERS or another source of servers, or set STATE_DIR to a folder';

/** Whether a table that survives restarts remembers servers. */
export function isTableKept({ dynamodbServersTable, dataDir }: Config): boolean {
  return dynamodbServersTable !== undefined || dataDir !== undefined;
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
 * The URL of this service for viewers, without a trailing slash. `listeningPort` is the actual port.
 * `server/pubsub/callbackUrls.ts` makes the URLs for pub-sub servers.
 */
export function publicUrlFor(
  config: Pick<Config, 'host' | 'publicUrl'>,
  listeningPort: number,
  interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces,
): string {
  if (config.publicUrl !== undefined) return config.publicUrl;
  const host = isWildcard(config.host) ? ownAddress(interfaces()) : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${listeningPort}`;
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
  if (host !== undefined && !isLoopback(host) && auth === 'token' && !hasToken) {
    problems.push(
      `DASHBOARD_TOKEN is unset: HOST is "${host}", and listening beyond loopback requires a token, or AUTH=none`,
    );
  }
  if ((ecsCluster === undefined) !== (ecsService === undefined)) {
    const [unset, set] = ecsCluster === undefined ? ['CLUSTER', 'SERVICE'] : ['SERVICE', 'CLUSTER'];
    problems.push(`ECS_${unset} is unset: ECS_${set} requires it`);
  }
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

function define<const Name extends string, const Field extends string, Schema extends z.ZodType>(
  name: Name,
  field: Field,
  fallback: string | undefined,
  meaning: string,
  schema: Schema,
  { shown = fallback ?? 'none', hide = (value: string) => value } = {},
) {
  return { name, field, fallback, meaning, schema, shown, hide };
}

function hideCredentials(value: string): string {
  return value.replace(/^("[a-z]+:\/\/|").*@/i, '$1***@');
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function ownAddress(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const others = all.filter(({ address, internal }) => !internal && !isLinkLocal(address));
  const [first] = others.filter(({ family }) => family === 'IPv4').concat(others);
  return first?.address ?? '127.0.0.1';
}
