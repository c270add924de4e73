/** Events that are kept. */
export const maxInspected = { frames: 500, bytes: 512 * 1024 };

interface Entry {
  actor: string;
  frame: Buffer;
}

/** The last events sent to actors, for inspectors that connect later. Bounded in number and bytes. */
export class History {
  #entries: Entry[] = [];
  #bytes = 0;

  push(actor: string, frame: Buffer): void {
    this.#entries.push({ actor, frame });
    this.#bytes += frame.length;
    while (this.#entries.length > maxInspected.frames || this.#bytes > maxInspected.bytes)
      this.#bytes -= this.#entries.shift()?.frame.length ?? 0;
  }

  /** Frames of events to actors that still exist, oldest first. */
  of(exists: (actor: string) => boolean): Buffer[] {
    return this.#entries.filter(({ actor }) => exists(actor)).map(({ frame }) => frame);
  }

  get frames(): number {
    return this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }
}
