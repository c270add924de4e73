import type { RoomName } from '../../machines/ports.js';

/** When a room was first and last seen with a connection, in milliseconds since 1970. */
export interface SeenRoom {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Limits of what is kept. */
export interface SeenLimits {
  maxRows: number;
  /** Total length of the names, in UTF-16 code units. */
  maxNamesLength: number;
}

const defaults: SeenLimits = { maxRows: 10_000, maxNamesLength: 1_000_000 };
/** A room that was seen this recently is not dropped for another one. */
const recentMs = 60_000;

/** Rooms that were seen with a connection, in the order of their last time. Limited in number and size. */
export class SeenRooms {
  #rooms = new Map<RoomName, SeenRoom>();
  #namesLength = 0;
  readonly #limits: SeenLimits;

  constructor(limits: Partial<SeenLimits> = {}) {
    this.#limits = { ...defaults, ...limits };
  }

  /** Notes that a room has a connection; false: over the limit. */
  note(room: RoomName, nowMs: number): boolean {
    const known = this.#rooms.get(room);
    if (known) {
      // To the end: the oldest rooms come first.
      this.#rooms.delete(room);
      this.#rooms.set(room, { firstMs: known.firstMs, lastMs: nowMs });
      return true;
    }
    if (!this.#makeRoomFor(room, nowMs)) return false;
    this.#rooms.set(room, { firstMs: nowMs, lastMs: nowMs });
    this.#namesLength += room.length;
    return true;
  }

  get(room: RoomName): SeenRoom | undefined {
    return this.#rooms.get(room);
  }

  /** Drops rooms that were last seen before a time. */
  forgetBefore(ms: number): void {
    for (const [room, { lastMs }] of this.#rooms) {
      if (lastMs >= ms) return;
      this.#drop(room);
    }
  }

  /** Adds rooms of earlier runs. Over the limit, the oldest are dropped. */
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
      const isKept = namesLength + room.length <= this.#limits.maxNamesLength;
      if (isKept) namesLength += room.length;
      return isKept;
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

  #makeRoomFor(room: RoomName, nowMs: number): boolean {
    const { maxRows, maxNamesLength } = this.#limits;
    if (room.length > maxNamesLength) return false;
    for (const [oldest, { lastMs }] of this.#rooms) {
      const hasSpace =
        this.#rooms.size < maxRows && this.#namesLength + room.length <= maxNamesLength;
      if (hasSpace) return true;
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
