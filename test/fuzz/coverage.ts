/** What Istanbul's instrumented code counts of a file: calls of each function, and the ways of each branch. */
interface Counts {
  f: Record<string, number>;
  b: Record<string, number[]>;
}

/** The places of the code that were reached, by the counters of `instrumentingLoader.js`. */
export class Coverage {
  /** Counters that are still at zero. */
  #unreached: [counts: Record<string, number> | number[], key: string][];
  readonly #places: number;

  constructor() {
    const { __coverage__: files } = globalThis as { __coverage__?: Record<string, Counts> };
    if (!files) throw new Error('the code was loaded without "--import ./test/fuzz/instrument.ts"');
    const counted = Object.values(files).flatMap(({ f, b }) => [f, ...Object.values(b)]);
    const all = counted.flatMap((counts) =>
      Object.keys(counts).map((key): [typeof counts, string] => [counts, key]),
    );
    for (const [counts, key] of all) (counts as Record<string, number>)[key] = 0;
    this.#unreached = all;
    this.#places = all.length;
  }

  get reached(): number {
    return this.#places - this.#unreached.length;
  }

  /** Whether something was reached since the last call that never was before. */
  takeIsNew(): boolean {
    const left = this.#unreached.filter(
      ([counts, key]) => (counts as Record<string, number>)[key] === 0,
    );
    const isNew = left.length < this.#unreached.length;
    if (isNew) this.#unreached = left;
    return isNew;
  }
}
