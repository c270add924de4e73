import type { Term } from '../../machines/ports.js';
import type { Clock } from '../timing/clock.js';
import { ageOf, type Instant } from '../timing/instant.js';

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

  /** Whether it has not ended yet, by both clocks. */
  isHeld(clock: Clock): boolean {
    return ageOf(this.#renewedAt, clock) < this.#endsAfterMs;
  }

  /** When it ends, by the monotonic clock. */
  get endsAtMs(): number {
    return this.#renewedAt.monotonicMs + this.#endsAfterMs;
  }
}
