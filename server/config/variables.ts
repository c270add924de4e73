/** The list of configuration variables. `Config` follows from it; `docs/deploy.md` has it as a table. */

import { z } from 'zod';
import { defaultNetworks, normalizeHost, parseNetworks } from '../addresses.js';
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
  parseSecrets,
  parseServerIds,
  parseTable,
  readCertificates,
} from './values.js';

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Every variable: its name, its field in `Config`, its default text, its meaning, and the schema that reads
 * it. `shown` is the default in the docs, `hide` removes secrets from messages.
 */
export const variables = [
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
    'PUBSUB_SECRET',
    'pubSubSecrets',
    undefined,
    'secret shared with the agents of pub-sub servers, of at least 16 characters: requests to servers are signed, and only signed start-up queries are taken. During a rotation two, `new,old`: the first signs, both verify',
    parsed(parseSecrets).optional(),
    { hide: () => 'set (not shown)' },
  ),
  define(
    'PUBSUB_TLS',
    'pubSubTls',
    'false',
    '`true`: pub-sub servers are asked over https. They still post to `PUBLIC_URL`',
    flag(),
  ),
  define(
    'PUBSUB_CA_FILE',
    'pubSubCa',
    undefined,
    "file with the certificates (PEM) that pub-sub servers' certificates are checked against. Unset: those that Node.js knows",
    parsed(readCertificates).optional(),
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
    'Redis on which the pub-sub servers publish updates: `redis://` or `rediss://`, one server, a cluster or Sentinels: see [Redis](#redis). Unset: servers post watched rooms themselves, or are polled',
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
    'largest document of a watched room. A larger one is sent as unmerged updates only',
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
