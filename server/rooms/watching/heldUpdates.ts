/** Memory of an update beside its bytes. */
const updateBytes = 128;

/** Updates that wait until the states of a room's servers are merged. Their bytes are bounded. */
export class HeldUpdates {
  static readonly maxBytes = 16 * 1024 * 1024;
  #updates: Uint8Array[] = [];
  #bytes = 0;
  #isOverfull = false;

  hold(update: Uint8Array): void {
    this.#bytes += update.length + updateBytes;
    if (this.#bytes > HeldUpdates.maxBytes) {
      this.#updates = [];
      this.#isOverfull = true;
    } else {
      // A copy: the update may be a small part of a large buffer.
      this.#updates.push(new Uint8Array(update));
    }
  }

  /** The held updates in order. `isOverfull`: some were dropped, and the states have to be merged again. */
  release(): { updates: Uint8Array[]; isOverfull: boolean } {
    const released = { updates: this.#updates, isOverfull: this.#isOverfull };
    this.#updates = [];
    this.#bytes = 0;
    this.#isOverfull = false;
    return released;
  }
}
