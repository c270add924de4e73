/** Changes within this time that are few enough to be told apart. */
const windowMs = 2000;
const maxChanges = 8;

/** Tells whether the numbers on the page change seldom, so that a change may be highlighted. */
export class Calm {
  /** When the last ones changed, oldest first. */
  readonly #changes: number[] = [];

  /** Notes a change. Returns whether there were few of late. */
  note(nowMs: number): boolean {
    this.#changes.push(nowMs);
    if (this.#changes.length > maxChanges + 1) this.#changes.shift();
    const oldest = this.#changes[0] ?? nowMs;
    return this.#changes.length <= maxChanges || nowMs - oldest > windowMs;
  }
}
