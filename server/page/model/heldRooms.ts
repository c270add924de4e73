import type { RoomColumns } from '../stream/messages.js';
import type { RoomIndex } from './roomIndex.js';

/**
 * Changes of rooms that wait. A restarted service has no numbers until its servers have answered: the list stays as
 * it was, instead of emptying and filling again.
 */
export class HeldRooms {
  #all: RoomColumns | undefined;
  #changes: RoomColumns[] = [];

  /** Begins again with these rooms. */
  replace(rooms: RoomColumns): void {
    this.#all = rooms;
    this.#changes = [];
  }

  change(rooms: RoomColumns): void {
    this.#changes.push(rooms);
  }

  /** Brings the index up to date, and forgets everything. */
  release(index: RoomIndex): void {
    if (this.#all) index.replace(this.#all);
    for (const change of this.#changes) index.change(change);
    this.#all = undefined;
    this.#changes = [];
  }
}
