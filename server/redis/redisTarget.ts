/** Parses `REDIS_URL` and `CLUSTER_URL`, for the configuration and for connections. */

import { parseUrl } from '../parseUrl.js';

export interface RedisNode {
  host: string;
  port: number;
}

/** One Redis, nodes of a cluster, or Sentinels that know the current primary. */
export interface RedisTarget {
  kind: 'single' | 'cluster' | 'sentinel';
  /** At least one. */
  nodes: readonly RedisNode[];
  isTls: boolean;
  username?: string;
  password?: string;
  db?: number;
  /** The name of the primary; for Sentinels only. */
  name?: string;
}

const problem =
  'must be redis://host:port or rediss://host:port; redis://host:port,host:port for a cluster; redis+sentinel://host:port,host:port/name for Sentinels; with user:password@ before the first host if needed, percent-encoded';
const form = /^(rediss?)(\+sentinel)?:\/\/(?:([^/]*)@)?([^/?#\s@]+)(?:\/([^?#\s]*))?$/i;
const ports = { redis: 6379, sentinel: 26_379 };

/** Parses the URL of a Redis. The Error that it throws contains no part of the text, which may have secrets. */
export function parseRedisTarget(text: string): RedisTarget {
  const [, scheme = '', sentinel, credentials, hosts = '', path = ''] =
    form.exec(inOneUrl(text)) ?? [];
  const port = sentinel ? ports.sentinel : ports.redis;
  const nodes = hosts.split(',').map((host) => nodeOf(host, port));
  const kind = sentinel ? 'sentinel' : nodes.length > 1 ? 'cluster' : 'single';
  const { username, password } = credentialsOf(credentials ?? '');
  const { name, db } = placeOf(kind, path);
  return {
    kind,
    nodes,
    isTls: scheme.toLowerCase() === 'rediss',
    ...(username && { username }),
    ...(password && { password }),
    ...(db !== undefined && { db }),
    ...(name && { name }),
  };
}

/** Where a Redis is, in words and without credentials: `redis.internal:6379`. `text`: like `REDIS_URL`. */
export function describeTarget(text: string): string {
  const { kind, nodes, name } = parseRedisTarget(text);
  const list = nodes.map(({ host, port }) => toHostAndPort(host, port)).join(',');
  return kind === 'sentinel' ? `${name} of the Sentinels ${list}` : list;
}

const toHostAndPort = (host: string, port: number) =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Joins nodes that are written as a URL each; all must have the same credentials. */
function inOneUrl(text: string): string {
  const first = /^[^:]+:\/\/([^@,/]*)@/.exec(text)?.[1];
  return text.replaceAll(
    /,\s*rediss?(?:\+sentinel)?:\/\/(?:([^@,/]*)@)?/gi,
    (_, own: string | undefined) => {
      if (own !== undefined && own !== first) throw new Error(problem);
      return ',';
    },
  );
}

function nodeOf(host: string, defaultPort: number): RedisNode {
  const url = parseUrl(`redis://${host}`);
  if (!url?.hostname || url.username || url.password) throw new Error(problem);
  // A URL has IPv6 addresses in brackets.
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || defaultPort };
}

function credentialsOf(text: string): { username: string; password: string } {
  const url = parseUrl(`redis://${text}@host`);
  try {
    if (url?.host !== 'host') throw new Error();
    const [username, password] = [url.username, url.password].map(decodeURIComponent);
    return { username: username ?? '', password: password ?? '' };
  } catch {
    throw new Error(problem);
  }
}

/** Parses the path: `db`, or `name/db` for Sentinels. */
function placeOf(kind: RedisTarget['kind'], path: string): { name?: string; db?: number } {
  const [, name, number = ''] =
    (kind === 'sentinel' ? /^([\w.-]+)(?:\/(\d+))?$/ : /^()(\d*)$/).exec(path) ?? [];
  if (name === undefined || (kind === 'cluster' && number !== '')) throw new Error(problem);
  return { name, ...(number !== '' && { db: Number(number) }) };
}
