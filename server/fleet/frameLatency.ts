/** Measures how long posts wait for their frame: from the oldest post in a frame until the frame is sent. */
export class FrameLatency {
  readonly #observe: (seconds: number) => void;
  #sinceMs: number | undefined;

  constructor(observe: (seconds: number) => void) {
    this.#observe = observe;
  }

  /** Posts were counted. `sinceMs`: when the first of them came, by `performance.now()`. */
  noteCounted(sinceMs: number): void {
    this.#sinceMs ??= sinceMs;
  }

  /** All that changed until now was sent. `hasRooms`: counts were among it. */
  noteFlushed(hasRooms: boolean): void {
    if (this.#sinceMs === undefined) return;
    if (hasRooms) this.#observe((performance.now() - this.#sinceMs) / 1000);
    this.#sinceMs = undefined;
  }
}
