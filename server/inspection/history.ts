const max = { frames: 500, bytes: 512 * 1024 };

interface Entry {
  actor: string;
  frame: Buffer;
}

/** The newest events that were sent to actors, bounded in number and bytes, for who comes late. */
export class History {
  #entries: Entry[] = [];
  #bytes = 0;

  push(actor: string, frame: Buffer): void {
    this.#entries.push({ actor, frame });
    this.#bytes += frame.length;
    while (this.#entries.length > max.frames || this.#bytes > max.bytes)
      this.#bytes -= this.#entries.shift()?.frame.length ?? 0;
  }

  /** The frames of events to actors that are still there, the oldest first. */
  of(isThere: (actor: string) => boolean): Buffer[] {
    return this.#entries.filter(({ actor }) => isThere(actor)).map(({ frame }) => frame);
  }

  get frames(): number {
    return this.#entries.length;
  }

  get bytes(): number {
    return this.#bytes;
  }
}
