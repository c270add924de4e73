import type { InstanceId, Leader } from '../../machines/ports.js';
import type { InstanceRole, InstanceView } from '../wire/instanceView.js';
import type { InstanceInfo } from './clusterStore.js';

/** What an instance knows of the cluster. */
export interface ClusterFacts {
  self: InstanceInfo;
  /** All that Redis knows, this one too; of the last answer of Redis. */
  instances: readonly KnownInstance[];
  leader: Leader | undefined;
  /** Whether Redis answers this instance. */
  isConnected: boolean;
}

/** An instance as the others see it. */
export type KnownInstance = InstanceInfo & { beatAgoMs: number; isThere: boolean };

/** The answer of `GET /api/instances`, the oldest instance first. */
export function instanceViews({
  self,
  instances,
  leader,
  isConnected,
}: ClusterFacts): InstanceView[] {
  const roleOf = (id: InstanceId, isThere: boolean): InstanceRole => {
    if (id === self.id && !isConnected) return 'isolated';
    if (id === leader?.instance) return 'leading';
    return isThere ? 'following' : 'gone';
  };
  const others = instances.filter(({ id }) => id !== self.id);
  const own = { ...self, isThere: true, beatAgoMs: 0 };
  const all = [own, ...others];
  return all
    .filter((instance) => !isReplaced(instance, all))
    .toSorted((a, b) => a.startedAtMs - b.startedAtMs || (a.id < b.id ? -1 : 1))
    .map((instance) => {
      const role = roleOf(instance.id, instance.isThere);
      const term = role === 'leading' && leader ? leader.term : null;
      // Without Redis, no beats arrive.
      const lagMs = isConnected ? Math.round(instance.beatAgoMs) : null;
      return viewOf(instance, { role, term, lagMs });
    });
}

/** Whether an instance is gone, and another one was started in its place. */
function isReplaced({ id, url, isThere }: KnownInstance, all: readonly KnownInstance[]): boolean {
  return !isThere && all.some((other) => other.id !== id && other.url === url && other.isThere);
}

/** The answer without a cluster. */
export function viewAlone(self: Omit<InstanceInfo, 'protocol' | 'reachesServers'>): InstanceView[] {
  return [viewOf(self, { role: 'alone', term: null, lagMs: 0 })];
}

function viewOf(
  {
    id,
    url,
    version,
    viewers,
    startedAtMs,
  }: Pick<InstanceInfo, 'id' | 'url' | 'version' | 'viewers' | 'startedAtMs'>,
  { role, term, lagMs }: Pick<InstanceView, 'role' | 'term' | 'lagMs'>,
): InstanceView {
  const since = new Date(startedAtMs).toISOString();
  return { id, role, term, url, version, viewers, since, lagMs };
}
