/** Where Redis is, as `REDIS_URL` says it: read by the configuration, and by whoever connects. */

import { parseUrl } from '../parseUrl.js';

export interface RedisNode {
  host: string;
  port: number;
}

/** One Redis, nodes of a cluster, or Sentinels that know the present primary of a name. */
export interface RedisTarget {
  kind: 'single' | 'cluster' | 'sentinel';
  /** At least one. */
  nodes: readonly RedisNode[];
  isTls: boolean;
  username?: string;
  password?: string;
  db?: number;
  /** By which Sentinels know the primary. */
  name?: string;
}

const problem =
  'must be redis://host:port or rediss://host:port; redis://host:port,host:port for a cluster; redis+sentinel://host:port,host:port/name for Sentinels; with user:password@ before the first host where it is needed, percent-encoded';
const form = /^(rediss?)(\+sentinel)?:\/\/(?:([^/]*)@)?([^/?#\s@]+)(?:\/([^?#\s]*))?$/i;
const ports = { redis: 6379, sentinel: 26_379 };

/** Reads `REDIS_URL`. Throws an Error in which neither the text nor a part of it is. */
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

/** Every node may be written as a URL of its own, all with the same credentials. */
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
  // Addresses of IPv6 are in brackets there.
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

/** What is behind the hosts: the number of a database, behind the name that Sentinels know. */
function placeOf(kind: RedisTarget['kind'], path: string): { name?: string; db?: number } {
  const [, name, number = ''] =
    (kind === 'sentinel' ? /^([\w.-]+)(?:\/(\d+))?$/ : /^()(\d*)$/).exec(path) ?? [];
  if (name === undefined || (kind === 'cluster' && number !== '')) throw new Error(problem);
  return { name, ...(number !== '' && { db: Number(number) }) };
}
