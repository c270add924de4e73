import type { Clock } from '../timing/clock.js';

/** What a fresh renewal needs of the rest of the service. */
export interface FreshRenewalNeeds {
  clock: Pick<Clock, 'monotonicMs'>;
  /** Renews the lease now. `done` is called once. */
  renew: (done: (isHeld: boolean) => void) => void;
}

/** A renewal serves everything that begins within this time after it was sent. */
const freshMs = 500;

/**
 * Renews the lease before servers are told to be silent. Several servers share a renewal: a thousand are
 * silenced with a few renewals.
 */
export class FreshRenewal {
  readonly #needs: FreshRenewalNeeds;
  #renewal: { sentAtMs: number; ended: Promise<void> } | undefined;

  constructor(needs: FreshRenewalNeeds) {
    this.#needs = needs;
  }

  /** Resolves when a renewal that was sent a moment ago has succeeded. Rejects if the lease is not held. */
  confirm(): Promise<void> {
    const { clock, renew } = this.#needs;
    const nowMs = clock.monotonicMs();
    if (this.#renewal && nowMs - this.#renewal.sentAtMs < freshMs) return this.#renewal.ended;
    const ended = new Promise<void>((resolve, reject) => {
      renew((isHeld) => (isHeld ? resolve() : reject(new Error('the lease could not be renewed'))));
    });
    this.#renewal = { sentAtMs: nowMs, ended };
    // A failed renewal is not shared.
    ended.catch(() => {
      this.#renewal = undefined;
    });
    return ended;
  }
}
