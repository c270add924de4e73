/** What the variables of a cluster say about each other, and about the other variables. */

/** How long a viewer takes to come back after its instance died: `retry:` is at most 3 s. */
const reconnectionMs = 3000;
/** A lease that misses two beats must still hold. */
const beatsPerLease = 3;

/** The values that depend on whether there is a cluster. */
interface ClusterValues {
  clusterLeaseMs?: number;
  clusterBeatMs?: number;
  lingerMs?: number;
  dataDir?: string;
  stateDir?: string;
}

/** Variables that do nothing without `CLUSTER_URL`. */
const onlyInCluster = [
  'CLUSTER_SECRET',
  'CLUSTER_LEASE_MS',
  'CLUSTER_BEAT_MS',
  'INSTANCE_URL',
  'INSTANCE_PEER_URL',
];

/** Fits the values to `CLUSTER_URL`: what one instance keeps in a folder, a cluster keeps in Redis. */
export function adaptToCluster(config: ClusterValues, isSet: (name: string) => boolean): void {
  const { clusterLeaseMs, lingerMs } = config;
  if (!isSet('CLUSTER_URL')) return;
  delete config.stateDir;
  if (isSet('LINGER_MS') || clusterLeaseMs === undefined || lingerMs === undefined) return;
  config.lingerMs = Math.max(lingerMs, clusterLeaseMs + reconnectionMs);
}

/** One sentence for each contradiction. Values that are not valid are absent. */
export function clusterContradictions(
  config: ClusterValues,
  isSet: (name: string) => boolean,
): string[] {
  if (!isSet('CLUSTER_URL')) {
    return onlyInCluster
      .filter((name) => isSet(name))
      .map((name) => `CLUSTER_URL is unset: ${name} requires it`);
  }
  const { clusterLeaseMs = 0, clusterBeatMs = 0, lingerMs, dataDir } = config;
  const problems: string[] = [];
  if (!isSet('CLUSTER_SECRET'))
    problems.push('CLUSTER_SECRET is unset: CLUSTER_URL requires it, the same at every instance');
  if (dataDir !== undefined) {
    problems.push(
      `DATA_DIR is "${dataDir}": the instances of a cluster have no common folder. Unset DATA_DIR or CLUSTER_URL`,
    );
  }
  const leastLingerMs = clusterLeaseMs + reconnectionMs;
  if (lingerMs !== undefined && lingerMs < leastLingerMs) {
    problems.push(
      `LINGER_MS is ${lingerMs}: in a cluster it must be at least ${leastLingerMs}, which is CLUSTER_LEASE_MS and ${reconnectionMs} ms for viewers to reconnect`,
    );
  }
  if (clusterLeaseMs > 0 && clusterBeatMs * beatsPerLease > clusterLeaseMs) {
    problems.push(
      `CLUSTER_BEAT_MS is ${clusterBeatMs}: it must be at most a third of CLUSTER_LEASE_MS, which is ${clusterLeaseMs}`,
    );
  }
  return problems;
}
