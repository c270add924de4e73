import type { Viewer } from './viewer.js';

/** The viewers of one stream. Whoever misses a frame gets the whole state once it has drained. */
export class Channel {
  readonly #viewers = new Set<Viewer>();
  /** Viewers that a frame was dropped for: what they have leads to nothing newer. */
  readonly #behind = new Set<Viewer>();
  readonly #wholeState: () => Buffer;

  constructor(wholeState: () => Buffer) {
    this.#wholeState = wholeState;
  }

  /** Adds a viewer that has just been sent where the stream is. */
  add(viewer: Viewer): void {
    this.#viewers.add(viewer);
    viewer.onDrain(() => this.#catchUp(viewer));
  }

  remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    this.#behind.delete(viewer);
  }

  broadcast(frame: Buffer): void {
    for (const viewer of this.#viewers) {
      if (this.#behind.has(viewer)) this.#catchUp(viewer);
      else if (!viewer.send(frame)) this.#behind.add(viewer);
    }
  }

  /** Brings those up to date that have drained without a word: not every drain is announced. */
  catchUp(): void {
    for (const viewer of this.#behind) this.#catchUp(viewer);
  }

  get size(): number {
    return this.#viewers.size;
  }

  [Symbol.iterator](): IterableIterator<Viewer> {
    return this.#viewers.values();
  }

  #catchUp(viewer: Viewer): void {
    if (!this.#behind.has(viewer) || viewer.pendingBytes > 0) return;
    this.#behind.delete(viewer);
    viewer.send(this.#wholeState());
  }
}
