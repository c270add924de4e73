import type { RoomName } from './ports.js';

/** Rooms whose difference is kept by name. What further rooms differ by can no longer be explained. */
const maxRooms = 1000;

/**
 * What one snapshot of a server had to correct: by how much it differs from what was counted before. A post
 * that the snapshot already contains may arrive later. It explains its part of the difference.
 */
export class Correction {
  readonly #rooms = new Map<RoomName, number>();
  #rest = 0;

  /** Notes that a room has `by` connections more in the snapshot; not 0. Once for each room. */
  note(room: RoomName, by: number): void {
    if (this.#rooms.size < maxRooms) this.#rooms.set(room, by);
    else this.#rest += Math.abs(by);
  }

  /** A late delta of the room. One that explains nothing changes nothing. */
  explain(room: RoomName, add: number): void {
    const by = this.#rooms.get(room);
    if (by === undefined) return;
    const left = by - add;
    if (left === 0) this.#rooms.delete(room);
    else if (Math.abs(left) < Math.abs(by)) this.#rooms.set(room, left);
  }

  get isEmpty(): boolean {
    return this.#rooms.size === 0 && this.#rest === 0;
  }

  /** Connections that were missing or too many, and that no post explains. */
  get connections(): number {
    let sum = this.#rest;
    for (const by of this.#rooms.values()) sum += Math.abs(by);
    return sum;
  }
}
