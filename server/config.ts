/** Configuration: one list of variables, from which the reader, its types, its messages and the docs' test follow. */

import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { z } from 'zod';
import type { ServerId } from '../machines/ports.js';
import {
  defaultNetworks,
  hostAndPort,
  isAddress,
  isLoopback,
  normalizeHost,
  parseNetworks,
  parseServerId,
} from './addresses.js';

const dayMs = 24 * 60 * 60 * 1000;
const maxBytes = 1024 ** 3;
const byteUnits: Record<string, number> = { '': 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };

/**
 * Every variable: its name, its field in `Config`, the text that is read when it is unset, what it
 * means, and how it is read. `shown` is what the docs give as default where that is not a text.
 */
const definitions = [
  define('HOST', 'host', '127.0.0.1', 'address to listen on', parsed(normalizeHost)),
  define('PORT', 'port', '8000', 'port to listen on; 0 takes any free one', integer(0, 65_535)),
  define(
    'PUBLIC_URL',
    'publicUrl',
    undefined,
    "where pub-sub servers reach this service: http or https, a sub-path is allowed. When `HOST` is a wildcard the default takes the machine's own address",
    parsed(parsePublicUrl).optional(),
    { shown: 'http://HOST:PORT', hide: hideCredentials },
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
    'CIDR list: addresses that may be pub-sub servers, by default loopback and private ranges; no other is ever contacted',
    parsed(parseNetworks),
  ),
  define(
    'DASHBOARD_TOKEN',
    'dashboardToken',
    undefined,
    'bearer token asked of viewers; required to listen beyond loopback unless `AUTH=none`',
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
    '`token` asks viewers for `DASHBOARD_TOKEN`, `none` asks them for nothing',
    oneOf(['token', 'none']),
  ),
  define(
    'LINGER_MS',
    'lingerMs',
    '5000',
    'how long servers stay active after the last viewer left',
    integer(0, dayMs, 'milliseconds'),
  ),
  define(
    'REQUEST_TIMEOUT_MS',
    'requestTimeoutMs',
    '2000',
    'longest wait for one answer of a pub-sub server',
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
    'time between two snapshots of a server taken without evidence of an error',
    integer(10, dayMs, 'milliseconds'),
  ),
  define(
    'FRAME_INTERVAL_MS',
    'frameIntervalMs',
    '50',
    'least time between two frames to a viewer',
    integer(0, 60_000, 'milliseconds'),
  ),
  define(
    'MAX_VIEWERS',
    'maxViewers',
    '10000',
    'event streams open at a time',
    integer(1, 1_000_000),
  ),
  define(
    'MAX_BODY_BYTES',
    'maxBodyBytes',
    '1 MiB',
    'largest body posted to this service; larger ones get 413',
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
    'LOG_LEVEL',
    'logLevel',
    'info',
    'least level logged: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, or `silent`',
    oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  ),
] as const;

/** Every variable as the docs show it: `docs/operations.md` has the same table. */
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

/** The configuration of one run, validated. Optional fields have no default. */
export type Config = {
  [D in Definitions as undefined extends Value<D> ? never : D['field']]: Value<D>;
} & {
  [D in Definitions as undefined extends Value<D> ? D['field'] : never]?: NonNullable<Value<D>>;
};

/** Configuration that cannot be used: every problem at once, none with a secret in it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`The configuration has ${problems.length} problem(s):\n- ${problems.join('\n- ')}`);
    this.problems = problems;
  }
}

/** Reads the configuration from an environment; an empty variable is an unset one. Throws `ConfigError`. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const { name, field, fallback, schema, hide } of definitions) {
    const given = env[name]?.trim() ? env[name] : undefined;
    const result = schema.safeParse(given ?? fallback);
    if (!result.success) {
      problems.push(
        `${name} is ${hide(JSON.stringify(given))}: ${result.error.issues[0]?.message}`,
      );
    } else if (result.data !== undefined) {
      config[field] = result.data;
    }
  }
  // What did not parse is absent here: the cross-checks look at the rest all the same.
  problems.push(...contradictions(config as Partial<Config>, env.DASHBOARD_TOKEN));
  if (problems.length > 0) throw new ConfigError(problems);
  return config as Config;
}

/** What pub-sub servers call back, without a trailing slash. The port is the one really listened on. */
export function publicUrlFor(
  config: Pick<Config, 'host' | 'publicUrl'>,
  listeningPort: number,
  interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces,
): string {
  if (config.publicUrl !== undefined) return config.publicUrl;
  const host = isWildcard(config.host) ? ownAddress(interfaces()) : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${listeningPort}`;
}

function contradictions(config: Partial<Config>, givenToken: string | undefined): string[] {
  const problems: string[] = [];
  const { host, auth, pubSubServers = [], pubSubNetworks } = config;
  if (host !== undefined && !isLoopback(host) && auth === 'token' && !givenToken?.trim()) {
    problems.push(
      `DASHBOARD_TOKEN is unset: HOST is "${host}", and listening beyond loopback requires a token, or AUTH=none`,
    );
  }
  for (const id of pubSubServers) {
    // Host names are looked up, and checked, when they are asked.
    const { host: address } = hostAndPort(id);
    if (!pubSubNetworks || !isAddress(address) || pubSubNetworks.includes(address)) continue;
    problems.push(
      `PUBSUB_SERVERS has "${id}": addresses must lie in PUBSUB_NETWORKS (${pubSubNetworks})`,
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

/** A schema out of a function that throws an Error with the reason. */
function parsed<Output>(parse: (text: string) => Output) {
  return z.string().transform((text, context) => {
    try {
      return parse(text.trim());
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });
}

function oneOf<const Choice extends string>(choices: readonly Choice[]) {
  return parsed((text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return choice;
  });
}

function integer(min: number, max: number, unit?: string) {
  return parsed((text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new Error(`must be a whole number ${unit ? `of ${unit} ` : ''}from ${min} to ${max}`);
  });
}

function bytes() {
  return parsed((text) => {
    const [, digits, unit = ''] = /^(\d{1,15}) ?([kmg]ib)?$/i.exec(text) ?? [];
    const value = Number(digits) * (byteUnits[unit.toLowerCase()] ?? Number.NaN);
    if (value >= 1 && value <= maxBytes) return value;
    throw new Error('must be a whole number of bytes, KiB, MiB or GiB, from 1 to 1 GiB');
  });
}

function parseServerIds(text: string): ServerId[] {
  const ids = new Set<ServerId>();
  const problems: string[] = [];
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    try {
      ids.add(parseServerId(entry));
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (problems.length > 0) throw new Error(`must be host:port,host:port; ${problems.join('; ')}`);
  return [...ids];
}

function parsePublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Paths and a token are appended to it: a query or a fragment, even an empty one, would swallow them.
  const plain = url && !url.username && !url.password && !/[?#@\s]/.test(text);
  if (!plain || !/^https?:\/\/[^/]/i.test(text)) {
    throw new Error('must be an http or https URL without credentials, query or fragment');
  }
  return url.href.replace(/\/+$/, '');
}

function hideCredentials(value: string): string {
  return value.replace(/^("[a-z]+:\/\/|").*@/i, '$1***@');
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function ownAddress(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
