const slots = 65_536;

const unknown = 0;
const carriesUpdates = 1;
const foreign = 2;

/**
 * Detects the channels of other programs on a shared Redis: they carry messages, but never an update. It is
 * a hash table without keys, of 64 KiB for any number of channels. If channels share a slot, one with updates decides.
 */
export class ForeignChannels {
  readonly #slots = new Uint8Array(slots);
  /** Random per process, to prevent crafted names that share a slot. */
  readonly #seed = Math.floor(Math.random() * 2 ** 32);

  /** Records whether a message on the channel was an update. */
  note(channel: string, isUpdate: boolean): void {
    const slot = this.#slotOf(channel);
    if (isUpdate) this.#slots[slot] = carriesUpdates;
    else if (this.#slots[slot] === unknown) this.#slots[slot] = foreign;
  }

  isForeign(channel: string): boolean {
    return this.#slots[this.#slotOf(channel)] === foreign;
  }

  forget(): void {
    this.#slots.fill(unknown);
  }

  /** FNV-1a. */
  #slotOf(channel: string): number {
    let hash = this.#seed;
    for (let i = 0; i < channel.length; i += 1)
      hash = Math.imul(hash ^ channel.charCodeAt(i), 0x01000193);
    return (hash ^ (hash >>> 16)) & (slots - 1);
  }
}
