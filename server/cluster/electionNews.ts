import type { ElectionEvent, Leader } from '../../machines/ports.js';

/** Tells the slot `election` who leads, and tells it again only when that changes. */
export class ElectionNews {
  /** The leader that was told last; null: that there is none; undefined: nothing yet. */
  #told: Leader | null | undefined;
  #election: ((event: ElectionEvent) => void) | undefined;

  /** The leader that was told last. */
  get leader(): Leader | undefined {
    return this.#told ?? undefined;
  }

  /** The events go to this listener, from now on. The function that is returned ends that. */
  elect(listener: (event: ElectionEvent) => void): () => void {
    this.#election = listener;
    this.#told = undefined;
    return () => {
      if (this.#election === listener) this.#election = undefined;
    };
  }

  /** Tells who leads, if that has changed since it was told last. */
  tell(leader: Leader | undefined): void {
    const isKnown = leader ? isSame(leader, this.#told) : this.#told === null;
    if (isKnown) return;
    this.#told = leader ?? null;
    this.emit(leader ? { type: 'leader.seen', leader } : { type: 'leader.gone' });
  }

  /** The next `tell` tells who leads, even if that has not changed. */
  forget(): void {
    this.#told = undefined;
  }

  emit(event: ElectionEvent): void {
    this.#election?.(event);
  }

  /** Removes the listener. */
  close(): void {
    this.#election = undefined;
  }
}

const isSame = (one: Leader, other: Leader | null | undefined): boolean =>
  one.term === other?.term &&
  one.instance === other.instance &&
  one.url === other.url &&
  one.serversUrl === other.serversUrl &&
  one.isActive === other.isActive;
