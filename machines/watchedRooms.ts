import type { ActorRefFrom } from 'xstate';
import type { RoomName } from './ports.js';
import type { roomMachine } from './roomMachine.js';

/** One room, and how many watch it. */
export interface WatchedRoom {
  readonly ref: ActorRefFrom<typeof roomMachine>;
  viewers: number;
}

/** The rooms that somebody watches, or did a moment ago; held by reference. */
export class WatchedRooms {
  readonly #rooms = new Map<RoomName, WatchedRoom>();

  add(room: RoomName, ref: WatchedRoom['ref'], viewers: number): void {
    this.#rooms.set(room, { ref, viewers });
  }

  get(room: RoomName): WatchedRoom | undefined {
    return this.#rooms.get(room);
  }

  remove(room: RoomName): void {
    this.#rooms.delete(room);
  }

  /** What the inspector shows in place of the map. */
  toJSON() {
    return { rooms: this.#rooms.size };
  }
}
