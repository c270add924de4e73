import { soleClientOf } from '../../documents/awarenessUpdate.js';
import type { AwarenessRequest } from '../../documents/documentProtocol.js';

/** What an update costs beside its bytes. */
const updateBytes = 128;

type Announcer = { client: number; clock: number };

/** What was held, as the documents' thread takes it. */
export type HeldBatch = Pick<AwarenessRequest, 'updates' | 'lengths' | 'tooLarge'>;

/**
 * Awareness updates that wait for the next frame: of one client the newest alone, and a bounded number of
 * bytes of all. What is not held is counted in `dropped`.
 */
export class HeldAwareness {
  static readonly maxBytes = 4 * 1024 * 1024;
  /** A larger update is not read; whose it is, is. */
  static readonly maxUpdateBytes = 1024 * 1024;
  #newest = new Map<number, { clock: number; update: Uint8Array }>();
  #others: Uint8Array[] = [];
  #tooLarge = new Map<number, Announcer & { bytes: number }>();
  #bytes = 0;
  dropped = 0;

  get isEmpty(): boolean {
    return this.#newest.size + this.#others.length + this.#tooLarge.size === 0;
  }

  hold(update: Uint8Array): void {
    const announcer = soleClientOf(update);
    if (update.length > HeldAwareness.maxUpdateBytes) this.#holdTooLarge(announcer, update.length);
    else if (!announcer) this.#holdOther(update);
    else this.#holdNewest(announcer, update);
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

  #holdNewest({ client, clock }: Announcer, update: Uint8Array): void {
    const known = this.#newest.get(client);
    if (known && clock < known.clock) return;
    // Of the same clock both are held: which of them counts depends on their states.
    const replaced = known && clock > known.clock ? known.update.length + updateBytes : 0;
    if (!this.#takeRoom(update.length - replaced)) return;
    if (known && replaced === 0) this.#others.push(known.update);
    // A copy: the update may be a small part of a large buffer.
    this.#newest.set(client, { clock, update: new Uint8Array(update) });
  }

  #holdOther(update: Uint8Array): void {
    if (this.#takeRoom(update.length)) this.#others.push(new Uint8Array(update));
  }

  #holdTooLarge(announcer: Announcer | undefined, bytes: number): void {
    if (!announcer) {
      this.dropped += 1;
      return;
    }
    const known = this.#tooLarge.get(announcer.client);
    if (known ? announcer.clock > known.clock : this.#takeRoom(0))
      this.#tooLarge.set(announcer.client, { ...announcer, bytes });
  }

  #takeRoom(length: number): boolean {
    const bytes = this.#bytes + length + updateBytes;
    if (bytes > HeldAwareness.maxBytes) {
      this.dropped += 1;
      return false;
    }
    this.#bytes = bytes;
    return true;
  }
}
