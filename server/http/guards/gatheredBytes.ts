/** A smaller chunk is copied: the object around it takes more than its bytes, and holds a whole buffer of the socket. */
const smallBytes = 1024;
const blockBytes = 16 * 1024;

/** The chunks of a body until it has come to its end, in about as much memory as they have bytes. */
export class GatheredBytes {
  readonly #parts: Buffer[] = [];
  #block: Buffer | undefined;
  /** Of the block, as far as it is filled. */
  #filled = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    this.#length += chunk.length;
    if (chunk.length >= smallBytes || this.#isFirst()) {
      this.#closeBlock();
      this.#parts.push(chunk);
      return;
    }
    if (this.#block && this.#filled + chunk.length > this.#block.length) this.#closeBlock();
    this.#block ??= Buffer.allocUnsafe(blockBytes);
    chunk.copy(this.#block, this.#filled);
    this.#filled += chunk.length;
  }

  /** All of it, in order. */
  bytes(): Buffer {
    this.#closeBlock();
    const [only] = this.#parts;
    return this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts, this.#length);
  }

  // Most bodies are one chunk: that is not copied.
  #isFirst(): boolean {
    return this.#parts.length === 0 && this.#block === undefined;
  }

  #closeBlock(): void {
    if (this.#block) this.#parts.push(this.#block.subarray(0, this.#filled));
    this.#block = undefined;
    this.#filled = 0;
  }
}
