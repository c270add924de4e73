import { spawnSync } from 'node:child_process';

/** Where each part of a cluster is, in networks that can be cut. */
export interface ClusterNetwork {
  readonly serversHost: string;
  readonly redisHost: string;
  readonly proxyHost: string;
  readonly instanceHosts: readonly string[];
  /** Network namespaces of the instances. */
  readonly namespaces: readonly string[];
  /** Nothing passes between this instance and the servers any longer. Redis and instances stay reachable. */
  cutServers(index: number): void;
  /** Nothing passes between this instance and Redis any longer. */
  cutRedis(index: number): void;
  mend(index: number): void;
  remove(): void;
}

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${error?.message ?? stderr}`);
}

/** Whether this process may create network namespaces: on Linux, as root with the right capabilities. */
export function canCutNetworks(): boolean {
  const name = `probe-${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'del', name);
    ip('link', 'add', `pr${process.pid}`, 'type', 'bridge');
    ip('link', 'del', `pr${process.pid}`);
    return true;
  } catch {
    return false;
  }
}

/**
 * A bridge of this machine. Each instance is in a namespace of its own, and Redis, servers and proxy have
 * an address each on this side. A route that drops everything cuts an instance off from one of them.
 */
export function createNetwork(instances: number): ClusterNetwork {
  const id = process.pid % 100_000;
  const bridge = `cl${id}`;
  // Of the 16,384 networks of four bytes in 10.192.0.0/10, one for this process.
  const net = `10.${192 + (id % 64)}.${(id >> 6) % 256}`;
  const [serversHost, redisHost, proxyHost] = [`${net}.1`, `${net}.2`, `${net}.3`];
  const namespaces = Array.from({ length: instances }, (_, index) => `cl${id}-${index}`);
  const instanceHosts = namespaces.map((_, index) => `${net}.${11 + index}`);
  const route = (verb: string, index: number, host: string) =>
    ip('-n', namespaces[index] ?? '', 'route', verb, 'blackhole', `${host}/32`);
  const cuts = new Map<number, Set<string>>();
  const cut = (index: number, host: string) => {
    route('replace', index, host);
    cuts.set(index, (cuts.get(index) ?? new Set()).add(host));
  };
  ip('link', 'add', bridge, 'type', 'bridge');
  for (const host of [serversHost, redisHost, proxyHost])
    ip('addr', 'add', `${host}/24`, 'dev', bridge);
  ip('link', 'set', bridge, 'up');
  namespaces.forEach((name, index) => {
    const [outer, inner] = [`${bridge}o${index}`, `${bridge}i${index}`];
    ip('netns', 'add', name);
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner);
    ip('link', 'set', inner, 'netns', name);
    ip('link', 'set', outer, 'master', bridge, 'up');
    ip('-n', name, 'addr', 'add', `${instanceHosts[index]}/24`, 'dev', inner);
    ip('-n', name, 'link', 'set', inner, 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
  });
  return {
    serversHost,
    redisHost,
    proxyHost,
    instanceHosts,
    namespaces,
    cutServers: (index) => cut(index, serversHost),
    cutRedis: (index) => cut(index, redisHost),
    mend: (index) => {
      for (const host of cuts.get(index) ?? []) route('del', index, host);
      cuts.delete(index);
    },
    remove: () => {
      for (const name of namespaces) ip('netns', 'del', name);
      ip('link', 'del', bridge);
    },
  };
}
