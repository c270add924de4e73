/** The totals at one second. Null where unknown. */
export interface HistoryPoint {
  readonly second: number;
  readonly connections: number | null;
  readonly rooms: number | null;
}

/** The totals over time. Old points are thinned out to stay within a limit. */
export class History {
  readonly seconds: number[] = [];
  /** Null where unknown. */
  readonly connections: (number | null)[] = [];
  readonly rooms: (number | null)[] = [];
  readonly #maxPoints: number;

  /** By default, a day by half minutes and ten minutes by second fit, which the service knows, and some more. */
  constructor(maxPoints = 4500) {
    this.#maxPoints = maxPoints;
  }

  /** Adds the current numbers. The last ones of a second win. */
  record(nowMs: number, connections: number | null, rooms: number | null): void {
    const second = Math.floor(nowMs / 1000);
    if (this.seconds.at(-1) === second) this.#drop(this.seconds.length - 1);
    this.#push({ second, connections, rooms });
    if (this.seconds.length > this.#maxPoints) this.#thinOut();
  }

  /** Adds points that the service knows, in order. Points of the page stay, but not its gaps in that time. */
  fill(points: readonly HistoryPoint[]): void {
    const [first, last] = [points[0], points.at(-1)];
    if (!first || !last) return;
    const isFilled = ({ second, connections }: HistoryPoint) =>
      connections === null && second >= first.second && second <= last.second;
    const bySecond = new Map(points.map((point) => [point.second, point]));
    for (const point of this.#points()) if (!isFilled(point)) bySecond.set(point.second, point);
    const all = [...bySecond.values()].sort((one, other) => one.second - other.second);
    for (const column of [this.seconds, this.connections, this.rooms]) column.length = 0;
    for (const point of all) this.#push(point);
    while (this.seconds.length > this.#maxPoints) this.#thinOut();
  }

  *#points(): Generator<HistoryPoint> {
    for (const [i, second] of this.seconds.entries())
      yield { second, connections: this.connections[i] ?? null, rooms: this.rooms[i] ?? null };
  }

  #push({ second, connections, rooms }: HistoryPoint): void {
    this.seconds.push(second);
    this.connections.push(connections);
    this.rooms.push(rooms);
  }

  /** Drops every second point of the older half, so old history is coarser. */
  #thinOut(): void {
    const half = Math.floor(this.seconds.length / 2);
    for (let i = half - (half % 2) - 1; i > 0; i -= 2) this.#drop(i);
  }

  #drop(at: number): void {
    for (const column of [this.seconds, this.connections, this.rooms]) column.splice(at, 1);
  }
}
