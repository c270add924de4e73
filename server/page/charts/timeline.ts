/** Numbers by name. Null, or a name that is missing: not known. */
export type Values = Readonly<Record<string, number | null>>;

/** What was known at one second. It holds until the next point. Without a number, it begins a gap. */
export interface TimePoint {
  /** Since 1970, by the clock of this page. */
  readonly second: number;
  readonly values: Values;
}

/** More seconds than this without a point are a gap: the page was suspended, or too busy to look. */
const maxLateSeconds = 5;
/** Points older than the newest quarter are joined into steps of this length first. */
const firstStepSeconds = 30;

/**
 * Numbers over time, by name: what the service told of the past, and what the page saw itself. A gap is a point
 * without numbers. Old points are joined to stay within a limit, but gaps stay gaps.
 */
export class Timeline {
  readonly #maxPoints: number;
  #seconds: number[] = [];
  /** All as long as `#seconds`. */
  #columns = new Map<string, (number | null)[]>();
  /** The last call of `record`. */
  #recordedSecond: number | undefined;

  /** By default, a day by half minutes and ten minutes by second fit, which the service knows, and some more. */
  constructor(maxPoints = 4500) {
    this.#maxPoints = maxPoints;
  }

  /** Ascending. */
  get seconds(): readonly number[] {
    return this.#seconds;
  }

  /** The numbers of one name, one for each of `seconds`. */
  column(name: string): readonly (number | null)[] {
    return this.#columns.get(name) ?? this.#seconds.map(() => null);
  }

  /** The names that ever had a number. */
  get names(): readonly string[] {
    return [...this.#columns.keys()];
  }

  /** Adds the current numbers. The last ones of a second win. */
  record(nowMs: number, values: Values): void {
    const second = Math.floor(nowMs / 1000);
    // Clocks differ: the service may have told of the next second already.
    while ((this.#seconds.at(-1) ?? -1) >= second) this.#dropLast();
    const before = this.#recordedSecond;
    if (before !== undefined && second - before > maxLateSeconds) this.#gapAfter(before);
    this.#recordedSecond = second;
    this.#push({ second, values });
    if (this.#seconds.length > this.#maxPoints) this.#thinOut();
  }

  /** Begins a gap. What was recorded after this moment is not known either. */
  cut(sinceMs: number): void {
    const second = Math.floor(sinceMs / 1000);
    while ((this.#seconds.at(-1) ?? -1) > second) this.#dropLast();
    if (this.#seconds.length > 0) this.#gapAfter(second);
  }

  /** Makes a gap of a time that is over: what was recorded in it was not known. */
  blank(fromMs: number, toMs: number): void {
    const [from, to] = [Math.floor(fromMs / 1000), Math.ceil(toMs / 1000)];
    const points = [...this.#points()];
    const isLast = (point: TimePoint) => point.second <= from;
    const last = points.findLast(isLast);
    if (!last || isGap(last) || to - from < 2) return;
    const rest = points.filter(({ second }) => second >= to);
    this.#replace([...points.filter(isLast), { second: from + 1, values: {} }, ...rest]);
  }

  /** Adds points that the service knows, in order. Points of the page stay, but not its gaps in that time. */
  fill(points: readonly TimePoint[]): void {
    const [first, last] = [points[0], points.at(-1)];
    if (!first || !last) return;
    const bySecond = new Map(points.map((point) => [point.second, point]));
    for (const point of this.#points()) {
      const isInside = point.second >= first.second && point.second <= last.second;
      if (!isInside || !isGap(point)) bySecond.set(point.second, point);
    }
    this.#replace([...bySecond.values()].sort((one, other) => one.second - other.second));
    if (this.#seconds.length > this.#maxPoints) this.#thinOut();
  }

  #replace(points: readonly TimePoint[]): void {
    this.#seconds = [];
    this.#columns = new Map();
    for (const point of points) this.#push(point);
  }

  *#points(): Generator<TimePoint> {
    for (const [i, second] of this.#seconds.entries())
      yield {
        second,
        values: Object.fromEntries([...this.#columns].map(([name, of]) => [name, of[i] ?? null])),
      };
  }

  #gapAfter(second: number): void {
    const last = this.#seconds.length - 1;
    if (!this.#isGapAt(last))
      this.#push({ second: Math.max(second, this.#seconds[last] ?? 0) + 1, values: {} });
  }

  #push({ second, values }: TimePoint): void {
    for (const name of Object.keys(values))
      if (!this.#columns.has(name))
        this.#columns.set(
          name,
          this.#seconds.map(() => null),
        );
    this.#seconds.push(second);
    for (const [name, column] of this.#columns) column.push(values[name] ?? null);
  }

  #dropLast(): void {
    this.#seconds.pop();
    for (const column of this.#columns.values()) column.pop();
  }

  /** Joins old points in longer and longer steps, until a quarter of the places is free. */
  #thinOut(): void {
    const wanted = this.#maxPoints * 0.75;
    for (let step = firstStepSeconds; this.#seconds.length > wanted; step *= 2) {
      const end = this.#seconds.length - Math.floor(this.#maxPoints / 4);
      this.#keep(keptPoints(this.#seconds, (i) => this.#isGapAt(i), { end, step }));
    }
  }

  #isGapAt(i: number): boolean {
    for (const column of this.#columns.values()) if (column[i] != null) return false;
    return true;
  }

  #keep(indexes: readonly number[]): void {
    const pick = <T>(list: readonly T[], otherwise: T) => indexes.map((i) => list[i] ?? otherwise);
    this.#seconds = pick(this.#seconds, 0);
    for (const [name, column] of this.#columns) this.#columns.set(name, pick(column, null));
  }
}

/** Whether a point has no number. */
export const isGap = ({ values }: TimePoint) =>
  Object.values(values).every((value) => value === null);

/**
 * The points that stay when those before the index `end` are joined in steps of so many seconds. Of each step these
 * are the last numbers, and the first and the last gap. The first point always stays.
 */
export function keptPoints(
  seconds: readonly number[],
  isGapAt: (i: number) => boolean,
  { end, step }: { end: number; step: number },
): number[] {
  const kept = new Set([0]);
  for (let i = 0; i < end; ) {
    const bucket = Math.floor((seconds[i] ?? 0) / step);
    let lastKnown = -1;
    const gaps: number[] = [];
    for (; i < end && Math.floor((seconds[i] ?? 0) / step) === bucket; i += 1) {
      if (isGapAt(i)) gaps.push(i);
      else lastKnown = i;
    }
    // With the first and the last gap, there is one before and after the numbers wherever there was one.
    for (const each of [lastKnown, gaps[0] ?? -1, gaps.at(-1) ?? -1]) if (each >= 0) kept.add(each);
  }
  for (let i = end; i < seconds.length; i += 1) kept.add(i);
  return [...kept].sort((one, other) => one - other);
}
