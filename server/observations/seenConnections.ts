import { randomUUID } from 'node:crypto';
import type { RoomName } from '../../machines/ports.js';
import type { StoredConnection } from '../store/store.js';
import type { SeenLimits } from './seenRooms.js';

/** A connection that was seen to open at a time in milliseconds since 1970. */
export interface SeenConnection {
  readonly id: string;
  readonly room: RoomName;
  readonly atMs: number;
}

const defaults: SeenLimits = { maxRows: 20_000, maxNamesLength: 1_000_000 };
const pageRows = 500;

/** The newest connections that were seen to open, in the order of time. Limited in number and size. */
export class SeenConnections {
  /** Rows before `#start` are dropped. */
  #rows: SeenConnection[] = [];
  #start = 0;
  #namesLength = 0;
  #displaced = 0;
  readonly #limits: SeenLimits;

  constructor(limits: Partial<SeenLimits> = {}) {
    this.#limits = { ...defaults, ...limits };
  }

  note(room: RoomName, nowMs: number): void {
    // Keep the order even if the clock is set back.
    const atMs = Math.max(nowMs, this.#rows.at(-1)?.atMs ?? 0);
    this.#append({ id: randomUUID(), room, atMs });
  }

  /** Drops older connections. */
  forgetBefore(ms: number): void {
    while (this.#oldest && this.#oldest.atMs < ms) this.#dropOldest();
  }

  /** Adds connections of earlier runs. */
  restore(rows: Iterable<SeenConnection>): void {
    const all = [...rows, ...this.#rows.slice(this.#start)].sort((a, b) => a.atMs - b.atMs);
    [this.#rows, this.#start, this.#namesLength] = [[], 0, 0];
    for (const row of all) this.#append(row);
  }

  /** Connections that opened at or after a time, in pages, the oldest first. */
  async *since(ms: number): AsyncGenerator<StoredConnection[]> {
    const rows = [...this].filter(({ atMs }) => atMs >= ms);
    for (let from = 0; from < rows.length; from += pageRows)
      yield rows.slice(from, from + pageRows).map(toConnection);
  }

  /** All connections in pages, the newest first. */
  async *newestFirst(): AsyncGenerator<StoredConnection[]> {
    const rows = [...this].reverse();
    for (let from = 0; from < rows.length; from += pageRows)
      yield rows.slice(from, from + pageRows).map(toConnection);
  }

  get size(): number {
    return this.#rows.length - this.#start;
  }

  /** How many connections were dropped for newer ones. */
  get displaced(): number {
    return this.#displaced;
  }

  [Symbol.iterator](): IterableIterator<SeenConnection> {
    return this.#rows.slice(this.#start).values();
  }

  get #oldest(): SeenConnection | undefined {
    return this.#rows[this.#start];
  }

  #append(row: SeenConnection): void {
    const { maxRows, maxNamesLength } = this.#limits;
    this.#rows.push(row);
    this.#namesLength += row.room.length;
    while (this.size > maxRows || this.#namesLength > maxNamesLength) {
      this.#dropOldest();
      this.#displaced += 1;
    }
  }

  #dropOldest(): void {
    this.#namesLength -= this.#oldest?.room.length ?? 0;
    this.#start += 1;
    if (this.#start < pageRows || this.#start * 2 < this.#rows.length) return;
    this.#rows = this.#rows.slice(this.#start);
    this.#start = 0;
  }
}

function toConnection({ id, room, atMs }: SeenConnection): StoredConnection {
  return { id, roomName: room, timestamp: new Date(atMs).toISOString(), observed: true };
}
