import type { Term } from '../../machines/ports.js';
import type { Clock } from '../timing/clock.js';

/** When a request was sent, by both clocks: one of them may stand still, or be set. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export const instantOf = (clock: Clock): Instant => ({
  monotonicMs: clock.monotonicMs(),
  wallMs: clock.wallMs(),
});

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

  /** `sentAt`: when the renewal was sent that has succeeded. */
  renew(sentAt: Instant): void {
    if (sentAt.monotonicMs > this.#renewedAt.monotonicMs) this.#renewedAt = sentAt;
  }

  /** Whether the last good renewal was sent less than `maxAgeMs` ago by both clocks. */
  isHeld(now: Instant, maxAgeMs = Number.POSITIVE_INFINITY): boolean {
    const ageMs = Math.max(
      now.monotonicMs - this.#renewedAt.monotonicMs,
      now.wallMs - this.#renewedAt.wallMs,
    );
    return ageMs < Math.min(maxAgeMs, this.#endsAfterMs);
  }

  /** When it ends, by the monotonic clock. */
  get endsAtMs(): number {
    return this.#renewedAt.monotonicMs + this.#endsAfterMs;
  }
}
