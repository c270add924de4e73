import type { Host, HostDocument } from './host.js';

/** Which documents wait to be stored, and which could not be stored: Hocuspocus keeps those in memory. */
export class HostStores {
  readonly #changed = new Set<HostDocument>();
  readonly #begun = new Set<HostDocument>();

  /** A document was changed. Hocuspocus stores it a little later. */
  changed(document: HostDocument): void {
    this.#changed.add(document);
  }

  begun(document: HostDocument): void {
    this.#begun.add(document);
  }

  stored(document: HostDocument): void {
    this.#begun.delete(document);
  }

  unloaded(document: HostDocument): void {
    this.#changed.delete(document);
    this.#begun.delete(document);
  }

  /** No hook says that another one has failed. But the lock is free again, and nothing was stored. */
  count(host: Host): { pending: number; failed: number } {
    let [pending, failed] = [0, 0];
    for (const document of this.#changed) {
      if (isPending(host, document)) pending += 1;
      else this.#changed.delete(document);
    }
    for (const { saveMutex } of this.#begun) if (saveMutex?.isLocked() === false) failed += 1;
    return { pending, failed };
  }
}

const isPending = ({ debouncer }: Host, { name, saveMutex }: HostDocument): boolean =>
  saveMutex?.isLocked() || debouncer?.isDebounced(`onStoreDocument-${name}`) || false;
