import { soleClientOf } from '../../documents/awarenessUpdate.js';
import type { AwarenessRequest } from '../../documents/documentProtocol.js';

/** Memory of an update beside its bytes. */
const updateBytes = 128;

interface ClientClock {
  client: number;
  clock: number;
}

/** The held updates, as the worker thread takes them. */
export type HeldBatch = Pick<AwarenessRequest, 'updates' | 'lengths' | 'tooLarge'>;

/**
 * Awareness updates that wait for the next frame: only the newest of each client, and a bounded number of bytes.
 * Updates over the bound are counted in `dropped`.
 */
export class HeldAwareness {
  static readonly maxBytes = 4 * 1024 * 1024;
  /** Of a larger update only the client is read. */
  static readonly maxUpdateBytes = 1024 * 1024;
  #newest = new Map<number, { clock: number; update: Uint8Array }>();
  #others: Uint8Array[] = [];
  #tooLarge = new Map<number, ClientClock & { bytes: number }>();
  #bytes = 0;
  dropped = 0;

  get isEmpty(): boolean {
    return this.#newest.size + this.#others.length + this.#tooLarge.size === 0;
  }

  hold(update: Uint8Array): void {
    const sole = soleClientOf(update);
    if (update.length > HeldAwareness.maxUpdateBytes) this.#holdTooLarge(sole, update.length);
    else if (!sole) this.#holdOther(update);
    else this.#holdNewest(sole, update);
  }

  release(): HeldBatch {
    const held = [...this.#others, ...Array.from(this.#newest.values(), ({ update }) => update)];
    const lengths = held.map(({ length }) => length);
    const updates = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
    let start = 0;
    for (const update of held) {
      updates.set(update, start);
      start += update.length;
    }
    const tooLarge = [...this.#tooLarge.values()];
    this.#newest = new Map();
    this.#others = [];
    this.#tooLarge = new Map();
    this.#bytes = 0;
    return { updates, lengths, tooLarge };
  }

  #holdNewest({ client, clock }: ClientClock, update: Uint8Array): void {
    const known = this.#newest.get(client);
    if (known && clock < known.clock) return;
    // With the same clock both are held, because their states decide which one counts.
    const replaced = known && clock > known.clock ? known.update.length + updateBytes : 0;
    if (!this.#reserve(update.length - replaced)) return;
    if (known && replaced === 0) this.#others.push(known.update);
    // A copy: the update may be a small part of a large buffer.
    this.#newest.set(client, { clock, update: new Uint8Array(update) });
  }

  #holdOther(update: Uint8Array): void {
    if (this.#reserve(update.length)) this.#others.push(new Uint8Array(update));
  }

  #holdTooLarge(sole: ClientClock | undefined, bytes: number): void {
    if (!sole) {
      this.dropped += 1;
      return;
    }
    const known = this.#tooLarge.get(sole.client);
    if (known ? sole.clock > known.clock : this.#reserve(0))
      this.#tooLarge.set(sole.client, { ...sole, bytes });
  }

  #reserve(length: number): boolean {
    const bytes = this.#bytes + length + updateBytes;
    if (bytes > HeldAwareness.maxBytes) {
      this.dropped += 1;
      return false;
    }
    this.#bytes = bytes;
    return true;
  }
}
