/** How long the second key of two may take. */
const maxPauseMs = 1500;

/** Turns pressed keys into shortcuts: single keys such as `/`, and two in a row such as `g r`. */
export class KeySequences {
  readonly #shortcuts: ReadonlySet<string>;
  #first: { key: string; atMs: number } | undefined;

  constructor(shortcuts: Iterable<string>) {
    this.#shortcuts = new Set(shortcuts);
  }

  /** The shortcut that a key completes; undefined: none. */
  press(key: string, nowMs: number): string | undefined {
    const first = this.#first;
    this.#first = undefined;
    const both = `${first?.key} ${key}`;
    if (first && nowMs - first.atMs <= maxPauseMs && this.#shortcuts.has(both)) return both;
    if (this.#shortcuts.has(key)) return key;
    if (this.#beginsOne(key)) this.#first = { key, atMs: nowMs };
    return undefined;
  }

  #beginsOne(key: string): boolean {
    for (const shortcut of this.#shortcuts) if (shortcut.startsWith(`${key} `)) return true;
    return false;
  }
}
