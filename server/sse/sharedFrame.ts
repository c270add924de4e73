import type { Frame } from './frames.js';

/**
 * A frame that is made once for all viewers that need it, and kept until it is outdated. Weakly, to free
 * the memory when all viewers have read it.
 */
export class SharedFrame<Source, F extends Frame> {
  readonly #load: () => Promise<Source>;
  readonly #toFrame: (source: Source) => F | undefined;
  #making: Promise<F | undefined> | undefined;
  #made: WeakRef<F> | undefined;

  /** `toFrame` returns undefined if there is no frame now. */
  constructor(load: () => Promise<Source>, toFrame: (source: Source) => F | undefined) {
    this.#load = load;
    this.#toFrame = toFrame;
  }

  get(): F | Promise<F | undefined> {
    const made = this.#made?.deref();
    if (made) return made;
    if (this.#making) return this.#making;
    const making = this.#make().finally(() => {
      if (this.#making === making) this.#making = undefined;
    });
    this.#making = making;
    return making;
  }

  /** Something changed after the frame was made. One that is being made will contain it. */
  forgetMade(): void {
    this.#made = undefined;
  }

  /** A frame that is being made is outdated too. Viewers that wait for it still get it. */
  forget(): void {
    this.#made = undefined;
    this.#making = undefined;
  }

  async #make(): Promise<F | undefined> {
    const frame = this.#toFrame(await this.#load());
    if (frame) this.#made = new WeakRef(frame);
    return frame;
  }
}
