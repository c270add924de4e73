import type {
  BeatResult,
  ClusterStore,
  LeaseRecord,
} from '../../../server/cluster/clusterStore.js';

/** A counter in Redis from which terms are drawn: a mistake, for it can be lost, and is asked after the lock. */
export class LateTerms {
  #last = 0;
  #replicated = 0;
  readonly #drawn = new Map<number, number>();
  readonly #real = new Map<number, number>();

  draw(real: number): void {
    if (this.#drawn.has(real)) return;
    this.#last += 1;
    this.#drawn.set(real, this.#last);
    this.#real.set(this.#last, real);
  }

  of(real: number): number {
    return this.#drawn.get(real) ?? real;
  }

  realOf(drawn: number): number {
    return this.#real.get(drawn) ?? drawn;
  }

  replicate(): void {
    this.#replicated = this.#last;
  }

  loseTail(): void {
    this.#last = this.#replicated;
  }

  loseKeys(): void {
    this.#last = 0;
  }
}

/** Takes the lock, and then asks for a term by another request. */
export function drawTermsLater(store: ClusterStore, terms: LateTerms): ClusterStore {
  const record = <T extends LeaseRecord | undefined>(lease: T): T =>
    lease && { ...lease, term: terms.of(lease.term) };
  const real = <T extends { term: number }>(ask: T): T => ({
    ...ask,
    term: terms.realOf(ask.term),
  });
  return {
    ...store,
    acquire: (ask, done) =>
      store.acquire(
        { ...ask, seen: ask.seen && real(ask.seen), highestTerm: 0 },
        (error, result) => {
          if (!result || !('taken' in result)) {
            done(error, result && { refusedBy: record(result.refusedBy) });
            return;
          }
          store.pushInbox([], () => {
            terms.draw(result.taken.term);
            done(undefined, { taken: record(result.taken), previous: record(result.previous) });
          });
        },
      ),
    beat: (beat, done) =>
      store.beat({ ...beat, lease: beat.lease && real(beat.lease) }, (error, result) =>
        done(error, result && told(result)),
      ),
    release: (lease, done) => store.release(real(lease), done),
    takeInbox: (ask, done) => store.takeInbox(real(ask), done),
  };

  function told(result: BeatResult): BeatResult {
    return { ...result, lease: record(result.lease) };
  }
}
