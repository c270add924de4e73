import { byName, type Room } from './room.js';
import { sortedInSlices } from './slices.js';
import { positionsOf, spliced } from './sortedRooms.js';

/** Above this many new rooms, a sort would block the page, and the order is built again. */
const maxMerged = 2000;

/** The rooms by name. Built when it is first asked for, then kept: a new count moves no room. */
export class NameOrder {
  #rows: Room[] | undefined;
  /** Rooms that came or left during `build`. */
  #late: Set<Room> | undefined;

  /** Undefined: not built yet. */
  get rows(): Room[] | undefined {
    return this.#rows;
  }

  /** Sorts all rooms, unless that is done. */
  *build(rooms: ReadonlyMap<string, Room>): Generator<void, void> {
    if (this.#rows) return;
    const all = [...rooms.values()];
    const late = new Set<Room>();
    this.#late = late;
    for (const room of all) room.isNamed = true;
    const sorted = yield* sortedInSlices(all, byName);
    this.#rows = sorted;
    this.#late = undefined;
    this.#move([...late], (room) => rooms.get(room.name) === room);
  }

  /** Ends a `build` that will not be finished. */
  abandon(): void {
    this.#late = undefined;
  }

  /** Takes in rooms that came, and drops those that left. */
  update(changed: readonly Room[], isListed: (room: Room) => boolean): void {
    if (this.#late) for (const room of changed) this.#late.add(room);
    if (!this.#rows) return;
    this.#move(
      changed.filter((room) => room.isNamed !== isListed(room)),
      isListed,
    );
  }

  /** Takes over a new set of rooms. Many new ones are left to `build`. */
  replace(rooms: ReadonlyMap<string, Room>, list: readonly Room[]): void {
    this.#late = undefined;
    if (!this.#rows) return;
    const isListed = (room: Room) => rooms.get(room.name) === room;
    const kept = this.#rows.filter(isListed);
    const keptSet = new Set(kept);
    const added = list.filter((room) => !keptSet.has(room));
    this.#rows = undefined;
    if (added.length > maxMerged) return;
    for (const room of list) room.isNamed = true;
    this.#rows = spliced(kept, [], added, byName);
  }

  #move(changed: readonly Room[], isListed: (room: Room) => boolean): void {
    if (!this.#rows || changed.length === 0) return;
    for (const room of changed) room.isNamed = isListed(room);
    const positions = positionsOf(this.#rows, changed, byName);
    this.#rows = spliced(this.#rows, positions, changed.filter(isListed), byName);
  }
}
