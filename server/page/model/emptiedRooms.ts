/** How many rooms without connections are kept. */
const maxRooms = 2000;

/** The rooms that lost their last connection while the page was open, the last 2,000, by raw name. */
export class EmptiedRooms {
  readonly #names = new Set<string>();
  #version = 0;

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** Notes that a room became empty, or has a connection again. */
  note(name: string, isEmptied: boolean): void {
    const isKnown = this.#names.delete(name);
    if (isKnown || isEmptied) this.#version += 1;
    if (!isEmptied) return;
    this.#names.add(name);
    const [oldest] = this.#names;
    if (this.#names.size > maxRooms && oldest !== undefined) this.#names.delete(oldest);
  }
}
