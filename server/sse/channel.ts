import type { Frame } from './frames.js';
import type { Viewer } from './viewer.js';

/** Undefined: there is none now; the viewer gets the next one. */
type WholeState = Frame | undefined;

/** The viewers of one stream. Whoever misses a frame gets the whole state once it has drained. */
export class Channel {
  readonly #viewers = new Set<Viewer>();
  /** Viewers that a frame was dropped for: what they have leads to nothing newer. */
  readonly #behind = new Set<Viewer>();
  /** Viewers for whom the whole state is being made. */
  readonly #awaiting = new Set<Viewer>();
  readonly #wholeState: () => WholeState | Promise<WholeState>;

  /** A viewer for which more is waiting is sent no further frame. */
  readonly #maxPendingBytes: number;

  /**
   * `wholeState`: one frame that replaces all before it; a promise of it keeps its place among the frames.
   * `maxPendingBytes`: for a stream that shares its viewers with a more important one.
   */
  constructor(
    wholeState: () => WholeState | Promise<WholeState>,
    { maxPendingBytes = Number.POSITIVE_INFINITY } = {},
  ) {
    this.#wholeState = wholeState;
    this.#maxPendingBytes = maxPendingBytes;
  }

  /** Adds a viewer that has just been sent where the stream is. */
  add(viewer: Viewer): void {
    this.#viewers.add(viewer);
    viewer.onDrain(() => this.#catchUp(viewer));
  }

  /** Adds a viewer that has been sent nothing yet. */
  addBehind(viewer: Viewer): void {
    this.add(viewer);
    this.#behind.add(viewer);
    this.#makeWhole(viewer);
  }

  remove(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    this.#behind.delete(viewer);
    this.#awaiting.delete(viewer);
  }

  broadcast(frame: Frame): void {
    for (const viewer of this.#viewers) {
      if (this.#behind.has(viewer)) this.#catchUp(viewer);
      else if (viewer.pendingBytes > this.#maxPendingBytes || !viewer.send(frame))
        this.#behind.add(viewer);
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
    this.#makeWhole(viewer);
  }

  #makeWhole(viewer: Viewer): void {
    if (this.#awaiting.has(viewer)) return;
    const whole = this.#wholeState();
    if (!(whole instanceof Promise)) {
      this.#restore(viewer, whole);
      return;
    }
    this.#awaiting.add(viewer);
    whole.then(
      (frame) => {
        if (this.#awaiting.delete(viewer)) this.#restore(viewer, frame);
      },
      () => this.#awaiting.delete(viewer),
    );
  }

  #restore(viewer: Viewer, frame: WholeState): void {
    if (frame && viewer.send(frame)) this.#behind.delete(viewer);
  }
}
