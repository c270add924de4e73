import type { RoomName } from '../../machines/ports.js';

/** When a room was seen with a connection, first and last, in milliseconds since 1970. */
export interface SeenRoom {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** How much is kept. */
export interface SeenLimits {
  maxRows: number;
  /** Of the names together, in UTF-16 code units. */
  maxNamesLength: number;
}

const defaults: SeenLimits = { maxRows: 10_000, maxNamesLength: 1_000_000 };
/** A room that was seen that recently is not dropped for another one. */
const recentMs = 60_000;

/** The rooms that were seen lately, in the order of when they were seen last; a bounded number of them. */
export class SeenRooms {
  #rooms = new Map<RoomName, SeenRoom>();
  #namesLength = 0;
  readonly #limits: SeenLimits;

  constructor(limits: Partial<SeenLimits> = {}) {
    this.#limits = { ...defaults, ...limits };
  }

  /** Notes that a room has, or had just now, a connection; false: there is no place for it. */
  note(room: RoomName, nowMs: number): boolean {
    const known = this.#rooms.get(room);
    if (known) {
      // To the end: those that were not seen for longest come first.
      this.#rooms.delete(room);
      this.#rooms.set(room, { firstMs: known.firstMs, lastMs: nowMs });
      return true;
    }
    if (!this.#makePlace(room, nowMs)) return false;
    this.#rooms.set(room, { firstMs: nowMs, lastMs: nowMs });
    this.#namesLength += room.length;
    return true;
  }

  get(room: RoomName): SeenRoom | undefined {
    return this.#rooms.get(room);
  }

  /** Drops what was not seen since then. */
  forgetBefore(ms: number): void {
    for (const [room, { lastMs }] of this.#rooms) {
      if (lastMs >= ms) return;
      this.#drop(room);
    }
  }

  /** Takes in what was seen before; rooms for which there is no place are left out, the oldest first. */
  restore(rooms: Iterable<[RoomName, SeenRoom]>): void {
    const all = new Map<RoomName, SeenRoom>(this.#rooms);
    for (const [room, seen] of rooms) {
      const known = all.get(room);
      const firstMs = Math.min(seen.firstMs, known?.firstMs ?? seen.firstMs);
      const lastMs = Math.max(seen.lastMs, known?.lastMs ?? seen.lastMs);
      all.set(room, { firstMs, lastMs });
    }
    const newestFirst = [...all].sort(([, a], [, b]) => b.lastMs - a.lastMs);
    let namesLength = 0;
    const kept = newestFirst.slice(0, this.#limits.maxRows).filter(([room]) => {
      const isPlaced = namesLength + room.length <= this.#limits.maxNamesLength;
      if (isPlaced) namesLength += room.length;
      return isPlaced;
    });
    this.#rooms = new Map(kept.reverse());
    this.#namesLength = namesLength;
  }

  get size(): number {
    return this.#rooms.size;
  }

  [Symbol.iterator](): IterableIterator<[RoomName, SeenRoom]> {
    return this.#rooms.entries();
  }

  #makePlace(room: RoomName, nowMs: number): boolean {
    const { maxRows, maxNamesLength } = this.#limits;
    if (room.length > maxNamesLength) return false;
    for (const [oldest, { lastMs }] of this.#rooms) {
      const isPlace =
        this.#rooms.size < maxRows && this.#namesLength + room.length <= maxNamesLength;
      if (isPlace) return true;
      if (nowMs - lastMs < recentMs) return false;
      this.#drop(oldest);
    }
    return true;
  }

  #drop(room: RoomName): void {
    this.#rooms.delete(room);
    this.#namesLength -= room.length;
  }
}
