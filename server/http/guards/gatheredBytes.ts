/** Smaller chunks are copied: a chunk keeps a whole socket buffer alive, and its object is larger than its bytes. */
const smallBytes = 1024;
const blockBytes = 16 * 1024;

/** Collects the chunks of a body, in about as much memory as they have bytes. */
export class GatheredBytes {
  readonly #parts: Buffer[] = [];
  #block: Buffer | undefined;
  /** Bytes of the block in use. */
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

  /** All bytes, in order. */
  bytes(): Buffer {
    this.#closeBlock();
    const [only] = this.#parts;
    return this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts, this.#length);
  }

  // Most bodies are a single chunk, which is not copied.
  #isFirst(): boolean {
    return this.#parts.length === 0 && this.#block === undefined;
  }

  #closeBlock(): void {
    if (this.#block) this.#parts.push(this.#block.subarray(0, this.#filled));
    this.#block = undefined;
    this.#filled = 0;
  }
}
