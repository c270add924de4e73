import type { activationMachine } from '../../../machines/activationMachine.js';
import type { instanceMachine } from '../../../machines/instanceMachine.js';
import type { pubSubServerMachine } from '../../../machines/pubSubServerMachine.js';
import type { ClusterStore } from '../../../server/cluster/clusterStore.js';
import type { InstancesWorld } from './instancesWorld.js';

/** A deliberate mistake with several instances, to see whether the worlds find it. */
export interface InstancesBug {
  /** The beginning of the promise that it breaks. */
  readonly breaks: string;
  /** Replaces what an instance keeps in Redis. */
  readonly store?: (store: ClusterStore, world: InstancesWorld) => ClusterStore;
  /** Leases are judged by the wall clock alone. */
  readonly judgesByWallClock?: boolean;
  /** Ids of events do not tell the term, and relays do not look at it. */
  readonly resumesOverTerms?: boolean;
  /** An instance repeats to viewers whether the leader once called its numbers complete. */
  readonly passesCompleteOn?: boolean;
  /** Replaces a part of a chart. */
  readonly instance?: (machine: typeof instanceMachine) => typeof instanceMachine;
  readonly activation?: (machine: typeof activationMachine) => typeof activationMachine;
  readonly pubSubServer?: (machine: typeof pubSubServerMachine) => typeof pubSubServerMachine;
  /** The lease is not looked at again when a connection to a server is there. */
  readonly doesNotCheckTwice?: boolean;
  /** An instance that stops drops what it was about to leave in the inbox. */
  readonly dropsAtTheEnd?: boolean;
  /** An instance passes on a post that another instance passed on to it. */
  readonly forwardsAgain?: boolean;
}
