const maxFrames = 1024;
const maxBytes = 1024 * 1024;

/** The newest frames of a stream, bounded in number and bytes, for viewers that come back. */
export class Ring {
  #frames: Buffer[] = [];
  #bytes = 0;
  /** Version of the oldest frame kept. */
  #first = 1;

  /** Keeps the frame of the next version. */
  push(frame: Buffer): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
    while (this.#frames.length > maxFrames || this.#bytes > maxBytes) {
      this.#bytes -= this.#frames.shift()?.length ?? 0;
      this.#first += 1;
    }
  }

  /** The frames after a version, or undefined when they are no longer here or never were. */
  since(version: number): Buffer[] | undefined {
    const newest = this.#first + this.#frames.length - 1;
    if (version < this.#first - 1 || version > newest) return undefined;
    return this.#frames.slice(version - this.#first + 1);
  }

  /** Forgets all; the next frame is of version `first`. */
  clear(first: number): void {
    this.#frames = [];
    this.#bytes = 0;
    this.#first = first;
  }
}
