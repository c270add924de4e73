import type { InstanceId, Leader, Term } from '../../machines/ports.js';
import type { LeaseRecord } from './clusterStore.js';

/** In lease times. A longer gap between two looks starts the wait again. One lost beat is a shorter gap. */
const longestGap = 0.75;

/**
 * What an instance has seen of the lease. It trusts its own monotonic clock only: a lease has expired when it
 * has not changed for a lease time since it was first seen so. Neither Redis's clock nor the leader's counts.
 * After a failover, a replica may show an older record again. So a record counts as unchanged only if it was
 * watched without a gap.
 */
export class LeaseObserver {
  readonly #self: InstanceId;
  readonly #leaseMs: number;
  #record: LeaseRecord | undefined;
  /** When the record was first seen as it is. Undefined: nothing was seen yet. */
  #sinceMs: number | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** Whether this instance was watching when the record last changed. */
  #isWitnessed = false;
  /** The last term that was seen with a leader. A released record of another term may be an old one. */
  #heldTerm: Term | undefined;
  #wasActive = false;
  #highestTerm: Term = 0;

  constructor(self: InstanceId, leaseMs: number) {
    this.#self = self;
    this.#leaseMs = leaseMs;
  }

  /** The lease was read. `nowMs`: the monotonic time of the answer. */
  observe(record: LeaseRecord | undefined, nowMs: number): void {
    const isSame =
      record?.term === this.#record?.term && record?.renewals === this.#record?.renewals;
    const isGap = nowMs - this.#lookedAtMs > longestGap * this.#leaseMs;
    this.#lookedAtMs = nowMs;
    if (isGap) this.#heldTerm = undefined;
    if (isGap || !isSame) this.#isWitnessed = !isGap;
    if (isGap || !isSame) this.#sinceMs = nowMs;
    this.#record = record;
    if (!record) return;
    this.knows(record.term);
    if (record.isLost || record.term < this.#highestTerm) return;
    this.#wasActive = record.isActive;
    if (record.instance !== undefined) this.#heldTerm = record.term;
  }

  /** Notes that a term has existed, even if Redis has lost it. */
  knows(term: Term): void {
    this.#highestTerm = Math.max(this.#highestTerm, term);
  }

  get record(): LeaseRecord | undefined {
    return this.#record;
  }

  get highestTerm(): Term {
    return this.#highestTerm;
  }

  /** Whether pub-sub servers posted to the last leader that was seen. Redis may have forgotten it. */
  get wasActive(): boolean {
    return this.#wasActive;
  }

  /** Another instance that leads. */
  leader(nowMs: number): Leader | undefined {
    const record = this.#record;
    if (!record?.instance || record.instance === this.#self) return undefined;
    if (this.#isForgotten || this.#isUnchanged(nowMs)) return undefined;
    const { term, instance, url, serversUrl, isActive } = record;
    return { instance, term, url, serversUrl, isActive };
  }

  /** Whether this instance, which does not lead, may try to take the lease. */
  isFree(nowMs: number): boolean {
    if (this.#sinceMs === undefined) return false;
    if (this.#isUnchanged(nowMs)) return true;
    const record = this.#record;
    // Redis lost the lease, but its leader may still act.
    if (!record || record.isLost || this.#isForgotten) return false;
    // A request of this instance has taken it, and the answer was lost.
    if (record.instance === this.#self) return this.#isWitnessed;
    return record.instance === undefined && record.term === this.#heldTerm;
  }

  /** Time until the lease expires, if it does not change. */
  expiresInMs(nowMs: number): number {
    return (this.#sinceMs ?? nowMs) + this.#leaseMs - nowMs;
  }

  get #isForgotten(): boolean {
    return this.#record !== undefined && this.#record.term < this.#highestTerm;
  }

  #isUnchanged(nowMs: number): boolean {
    return this.#sinceMs !== undefined && this.expiresInMs(nowMs) <= 0;
  }
}
