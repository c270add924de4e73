import type { Frame } from './frames.js';
import type { Viewer } from './viewer.js';

/** What sends frames to one client. `Viewer` is the one of an HTTP client. */
export type StreamViewer = Pick<
  Viewer,
  'send' | 'pendingBytes' | 'onDrain' | 'heartbeatOrDisconnect' | 'end'
>;

/** Undefined: there is none now; the viewer waits for the next. */
type WholeState = Frame | undefined;

/** The viewers of one stream. A viewer that misses a frame gets the whole state when it has drained. */
export class Channel {
  readonly #viewers = new Set<StreamViewer>();
  /** Viewers that missed a frame: later frames do not help them. */
  readonly #behind = new Set<StreamViewer>();
  /** Viewers whose whole state is being encoded. */
  readonly #awaiting = new Map<StreamViewer, Promise<WholeState>>();
  readonly #wholeState: () => WholeState | Promise<WholeState>;
  /** Whose whole state is being made: making it may broadcast a frame first, which is part of it. */
  readonly #making = new Set<StreamViewer>();

  /** A viewer with more bytes waiting gets no further frames. */
  readonly #maxPendingBytes: number;

  /**
   * `wholeState`: makes a frame that replaces all earlier ones. If it is a promise, frames until it settles
   * must be part of it. `maxPendingBytes`: for a stream that shares its viewers with a more important one.
   */
  constructor(
    wholeState: () => WholeState | Promise<WholeState>,
    { maxPendingBytes = Number.POSITIVE_INFINITY } = {},
  ) {
    this.#wholeState = wholeState;
    this.#maxPendingBytes = maxPendingBytes;
  }

  /** Adds a viewer that is up to date. */
  add(viewer: StreamViewer): void {
    this.#viewers.add(viewer);
    viewer.onDrain(() => this.#catchUp(viewer));
  }

  /** Adds a viewer that has been sent nothing yet; it gets the whole state. */
  addNeedingState(viewer: StreamViewer): void {
    this.add(viewer);
    this.#behind.add(viewer);
    this.#makeWhole(viewer);
  }

  /** Adds a viewer that missed these frames: it gets them, or the whole state if it does not take all of them. */
  addMissing(viewer: StreamViewer, missed: readonly Frame[] | undefined): void {
    if (missed?.every((frame) => viewer.send(frame))) this.add(viewer);
    else this.addNeedingState(viewer);
  }

  remove(viewer: StreamViewer): void {
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

  /** Sends the whole state to viewers that are behind and have drained. Not every drain is an event. */
  catchUp(): void {
    for (const viewer of this.#behind) this.#catchUp(viewer);
  }

  /** Makes every viewer need the whole state: the frames that they were sent are no longer valid. */
  renew(): void {
    this.#awaiting.clear();
    for (const viewer of this.#viewers) {
      this.#behind.add(viewer);
      this.#catchUp(viewer);
    }
  }

  /** Whether a viewer has missed frames, and waits for the whole state. */
  isBehind(viewer: StreamViewer): boolean {
    return this.#behind.has(viewer);
  }

  get size(): number {
    return this.#viewers.size;
  }

  [Symbol.iterator](): IterableIterator<StreamViewer> {
    return this.#viewers.values();
  }

  #catchUp(viewer: StreamViewer): void {
    if (!this.#behind.has(viewer) || viewer.pendingBytes > 0) return;
    this.#makeWhole(viewer);
  }

  #makeWhole(viewer: StreamViewer): void {
    if (this.#awaiting.has(viewer) || this.#making.has(viewer)) return;
    this.#making.add(viewer);
    const whole = this.#wholeState();
    this.#making.delete(viewer);
    if (!(whole instanceof Promise)) {
      this.#restore(viewer, whole);
      return;
    }
    this.#awaiting.set(viewer, whole);
    const isAwaited = () => this.#awaiting.get(viewer) === whole && this.#awaiting.delete(viewer);
    whole.then((frame) => {
      if (isAwaited()) this.#restore(viewer, frame);
    }, isAwaited);
  }

  #restore(viewer: StreamViewer, frame: WholeState): void {
    if (frame && viewer.send(frame)) this.#behind.delete(viewer);
  }
}
