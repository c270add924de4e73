import type { InstanceId, Leader, Term } from '../../machines/ports.js';
import type { LeaseRecord } from './clusterStore.js';

/** After so long without a look, what was seen before no longer counts: one lost beat is less. */
const longestGap = 0.75;

/**
 * What an instance has seen of the lease. It trusts its own monotonic clock only: a lease has expired when it
 * has not changed for a lease time since it was first seen so. Neither Redis's clock nor the leader's counts.
 * A replica that takes over may show a record again that was replaced meanwhile, so only what was looked at
 * all the time counts as unchanged.
 */
export class LeaseObserver {
  readonly #self: InstanceId;
  readonly #leaseMs: number;
  #record: LeaseRecord | undefined;
  /** When the record was first seen as it is. Undefined: nothing was seen yet. */
  #sinceMs: number | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  /** Whether the record came to be what it is while this instance looked. */
  #isWitnessed = false;
  /** The last term that was seen with a leader. Only then is its release known to be the last word. */
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

  /** There was such a term, whatever Redis says now. */
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
    // Of a lease that Redis lost, the leader may still act.
    if (!record || record.isLost || this.#isForgotten) return false;
    // Taken by a request of this instance whose answer was lost.
    if (record.instance === this.#self) return this.#isWitnessed;
    return record.instance === undefined && record.term === this.#heldTerm;
  }

  /** When the lease will have expired if it does not change. */
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
