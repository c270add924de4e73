import { GrowingInterval } from '../timing/growingInterval.js';
import type { InstanceInfo } from './clusterStore.js';
import type { InstanceStatus } from './presence.js';

const maxBackOffMs = 60_000;

/**
 * Whether this instance should lead, considering the others. It backs off after it could not lead well, but
 * only while another one would lead instead. An older protocol never leads while a newer one is there.
 */
export class Candidacy {
  readonly #afterBlockedLoop: GrowingInterval;
  #untilMs = Number.NEGATIVE_INFINITY;

  constructor(leaseMs: number) {
    this.#afterBlockedLoop = new GrowingInterval(5 * leaseMs, maxBackOffMs);
  }

  backOff(nowMs: number, ms: number): void {
    this.#untilMs = Math.max(this.#untilMs, nowMs + ms);
  }

  /** The lease was lost because the event loop stood still. Longer each time while this recurs. */
  backOffAfterBlockedLoop(nowMs: number): void {
    this.#afterBlockedLoop.note(nowMs);
    this.backOff(nowMs, this.#afterBlockedLoop.ms);
  }

  /** What the others are told. */
  isCandidate({ reachesServers }: InstanceInfo, nowMs: number): boolean {
    return reachesServers !== false && nowMs >= this.#untilMs;
  }

  mayCampaign(self: InstanceInfo, instances: readonly InstanceStatus[], nowMs: number): boolean {
    const others = candidatesAmong(self, instances);
    if (others.some(({ protocol }) => protocol > self.protocol)) return false;
    const couldLead = others.some(({ protocol }) => protocol === self.protocol);
    return this.isCandidate(self, nowMs) || !couldLead;
  }
}

/** Whether an instance with a newer protocol would lead. */
export const isOutdated = (self: InstanceInfo, instances: readonly InstanceStatus[]): boolean =>
  candidatesAmong(self, instances).some(({ protocol }) => protocol > self.protocol);

const candidatesAmong = ({ id }: InstanceInfo, instances: readonly InstanceStatus[]) =>
  instances.filter((each) => each.id !== id && each.isThere && each.isCandidate);
