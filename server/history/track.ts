/** What there is of a track: its columns from the first entry to the last. */
export interface TrackPart {
  /** Seconds since 1970 of the first entry; undefined: there is none. */
  fromSecond: number | undefined;
  columns: (number | null)[][];
}

/** Stands for null. Counts are never negative. */
const none = -1;
const maxNumber = 2 ** 31 - 1;

/** Numbers of some columns by time, for the newest entries only. 4 bytes for each number. */
export class Track {
  readonly #step: number;
  readonly #length: number;
  readonly #columns: readonly Int32Array[];
  /** Step of the newest entry, counted from 1970; undefined: there is no entry. */
  #newest: number | undefined;

  /** `stepSeconds`: from one entry to the next. */
  constructor({
    stepSeconds,
    length,
    columns,
  }: { stepSeconds: number; length: number; columns: number }) {
    this.#step = stepSeconds;
    this.#length = length;
    this.#columns = Array.from({ length: columns }, () => new Int32Array(length).fill(none));
  }

  /** Notes one number for each column. The last ones of a step win. Steps that were left out are gaps. */
  note(second: number, numbers: readonly (number | null)[]): void {
    const step = Math.floor(second / this.#step);
    this.#advanceTo(step);
    for (const [i, column] of this.#columns.entries())
      column[step % this.#length] = Math.min(numbers[i] ?? none, maxNumber);
  }

  /** Second of the newest entry; undefined: there is none. */
  get newestSecond(): number | undefined {
    return this.#newest === undefined ? undefined : this.#newest * this.#step;
  }

  /** The entries that are not too old at this second, without gaps at the beginning. */
  read(nowSecond: number): TrackPart {
    const newest = this.#newest ?? 0;
    const oldest = Math.max(newest, Math.floor(nowSecond / this.#step)) - this.#length + 1;
    for (let step = oldest; step <= newest; step += 1)
      if (this.#isNoted(step)) return this.#part(step, newest);
    return { fromSecond: undefined, columns: this.#columns.map(() => []) };
  }

  #part(oldest: number, newest: number): TrackPart {
    const columns = this.#columns.map((column) =>
      Array.from({ length: newest - oldest + 1 }, (_, i) => {
        const number = column[(oldest + i) % this.#length] ?? none;
        return number === none ? null : number;
      }),
    );
    return { fromSecond: oldest * this.#step, columns };
  }

  #isNoted(step: number): boolean {
    return this.#columns.some((column) => column[step % this.#length] !== none);
  }

  /** Makes a step the newest one, unless it is already. After the clock was set back, all is forgotten. */
  #advanceTo(step: number): void {
    const before = this.#newest ?? step;
    const isForgotten = step < before || step - before >= this.#length;
    this.#newest = step;
    for (const column of this.#columns) {
      if (isForgotten) column.fill(none);
      else for (let i = before + 1; i <= step; i += 1) column[i % this.#length] = none;
    }
  }
}
