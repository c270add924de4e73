import type { Term } from '../../machines/ports.js';
import type { Clock } from '../timing/clock.js';
import { ageOf, differenceOf, type Instant } from '../timing/instant.js';

/** Clocks that differ by more have been set, or one stood still: neither tells how old the lease is. */
const maxDifferenceMs = 500;

/** The lease of this instance. It ends a time after its last good renewal was sent, whatever Redis does. */
export class HeldLease {
  readonly term: Term;
  readonly #endsAfterMs: number;
  #renewedAt: Instant;

  constructor(term: Term, sentAt: Instant, endsAfterMs: number) {
    this.term = term;
    this.#renewedAt = sentAt;
    this.#endsAfterMs = endsAfterMs;
  }

  /** `sentAt`: when the successful renewal was sent. */
  renew(sentAt: Instant): void {
    if (sentAt.monotonicMs > this.#renewedAt.monotonicMs) this.#renewedAt = sentAt;
  }

  /** Whether it has not ended yet, by both clocks. It ends when they disagree. */
  isHeld(clock: Clock): boolean {
    return !this.doClocksDiffer(clock) && ageOf(this.#renewedAt, clock) < this.#endsAfterMs;
  }

  /** Whether the clocks disagree about when it was renewed. */
  doClocksDiffer(clock: Clock): boolean {
    return differenceOf(this.#renewedAt, clock) > maxDifferenceMs;
  }

  /** When it ends, by the monotonic clock. */
  get endsAtMs(): number {
    return this.#renewedAt.monotonicMs + this.#endsAfterMs;
  }
}
