const slots = 65_536;

const unknown = 0;
const carriesUpdates = 1;
const strange = 2;

/**
 * Which channels of a shared Redis are other programs': those that carried something, and never an update.
 * Takes 64 KiB however many channels there are: of channels that share a slot, one with updates decides.
 */
export class StrangeChannels {
  readonly #slots = new Uint8Array(slots);
  // Random per process, so that nobody can name a channel to share the slot of another one.
  readonly #seed = Math.floor(Math.random() * 2 ** 32);

  /** Takes note of a message that was read: whether it was an update. */
  note(channel: string, isUpdate: boolean): void {
    const slot = this.#slotOf(channel);
    if (isUpdate) this.#slots[slot] = carriesUpdates;
    else if (this.#slots[slot] === unknown) this.#slots[slot] = strange;
  }

  isStrange(channel: string): boolean {
    return this.#slots[this.#slotOf(channel)] === strange;
  }

  forget(): void {
    this.#slots.fill(unknown);
  }

  // FNV-1a.
  #slotOf(channel: string): number {
    let hash = this.#seed;
    for (let i = 0; i < channel.length; i += 1)
      hash = Math.imul(hash ^ channel.charCodeAt(i), 0x01000193);
    return (hash ^ (hash >>> 16)) & (slots - 1);
  }
}
