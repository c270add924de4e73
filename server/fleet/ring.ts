/** Frames that a ring holds at most. */
export const maxFrames = 1024;
const maxBytes = 1024 * 1024;

/** Ring buffer of the newest frames of a stream, for viewers that reconnect. Limited in frames and bytes. */
export class Ring {
  #frames: Buffer[] = [];
  #bytes = 0;
  /** Version of the oldest frame. */
  #first = 1;

  /** Adds the frame of the next version. */
  push(frame: Buffer): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
    while (this.#frames.length > maxFrames || this.#bytes > maxBytes) {
      this.#bytes -= this.#frames.shift()?.length ?? 0;
      this.#first += 1;
    }
  }

  /** The frames after a version; undefined: some are dropped, or the version is unknown. */
  since(version: number): Buffer[] | undefined {
    const newest = this.#first + this.#frames.length - 1;
    if (version < this.#first - 1 || version > newest) return undefined;
    return this.#frames.slice(version - this.#first + 1);
  }

  /** Drops all frames; the next one is of version `first`. */
  clear(first: number): void {
    this.#frames = [];
    this.#bytes = 0;
    this.#first = first;
  }
}
