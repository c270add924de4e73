/** The totals since the page was opened. Old points are thinned out to stay within a limit. */
export class History {
  readonly seconds: number[] = [];
  /** Null where unknown. */
  readonly connections: (number | null)[] = [];
  readonly rooms: (number | null)[] = [];
  readonly #maxPoints: number;

  constructor(maxPoints = 1200) {
    this.#maxPoints = maxPoints;
  }

  /** Adds the current numbers. The last ones of a second win. */
  record(nowMs: number, connections: number | null, rooms: number | null): void {
    const second = Math.floor(nowMs / 1000);
    if (this.seconds.at(-1) === second) this.#drop(this.seconds.length - 1);
    this.seconds.push(second);
    this.connections.push(connections);
    this.rooms.push(rooms);
    if (this.seconds.length > this.#maxPoints) this.#thinOut();
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
