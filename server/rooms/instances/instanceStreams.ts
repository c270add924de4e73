import type { InstanceStream } from './instanceStream.js';

const beatMs = 1000;

/** Streams to other instances, with a beat every second. */
export class InstanceStreams {
  readonly #streams = new Set<InstanceStream>();
  #timer: NodeJS.Timeout | undefined;

  get size(): number {
    return this.#streams.size;
  }

  add(stream: InstanceStream): void {
    this.#streams.add(stream);
    this.#timer ??= setInterval(() => {
      for (const each of this.#streams) each.beat();
    }, beatMs);
  }

  remove(stream: InstanceStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Ends every stream. */
  close(): void {
    for (const stream of [...this.#streams]) {
      this.remove(stream);
      stream.end();
    }
  }

  [Symbol.iterator](): IterableIterator<InstanceStream> {
    return this.#streams.values();
  }
}
