import type { InstanceInfo } from '../../server/cluster/clusterStore.js';

/** What an instance tells the others of itself. */
export const infoOf = (id: string, more: Partial<InstanceInfo> = {}): InstanceInfo => ({
  id,
  url: `http://${id}`,
  version: '1.0.0',
  protocol: 1,
  viewers: 0,
  startedAtMs: 1_700_000_000_000,
  reachesServers: null,
  ...more,
});
