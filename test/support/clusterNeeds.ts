import type { Leader } from '../../machines/ports.js';
import { Forwarding } from '../../server/cluster/forwarding.js';
import { InstanceRequests, type Peer } from '../../server/cluster/instanceRequests.js';
import { InstanceSignatures } from '../../server/cluster/instanceSignatures.js';
import { OtherInstances } from '../../server/cluster/otherInstances.js';
import type { ClusterNeeds } from '../../server/http/app.js';
import { Attempts } from '../../server/http/auth/attempts.js';

/** The secret of test clusters. */
export const clusterSecret = 'a secret of sixteen letters';

/** What the HTTP side of a follower needs; by default it knows no leader. */
export function clusterNeeds(
  signatures = new InstanceSignatures(clusterSecret, 'this'),
  {
    isLeading = () => false,
    leader = () => undefined,
    timeoutMs = 10_000,
    peers = () => [],
    isStarting = () => false,
    addRoutes = () => {},
    ...shared
  }: {
    attempts?: Attempts;
    signOuts?: ClusterNeeds['signOuts'];
    isLeading?: () => boolean;
    leader?: () => Leader | undefined;
    timeoutMs?: number;
    peers?: () => readonly Peer[];
    isStarting?: () => boolean;
    addRoutes?: ClusterNeeds['addRoutes'];
  } = {},
): ClusterNeeds {
  const requests = new InstanceRequests(signatures);
  return {
    signatures,
    forwarding: new Forwarding({ requests, isLeading, leader, timeoutMs }),
    others: new OtherInstances(requests, peers),
    attempts: new Attempts(),
    signOuts: { add: () => {}, follow: () => {} },
    isStarting,
    addRoutes,
    ...shared,
  };
}
