import type { ActorRefFrom } from 'xstate';
import type { RoomName } from './ports.js';
import type { roomMachine } from './roomMachine.js';

/** A watched room and the number of its viewers. */
export interface WatchedRoom {
  readonly ref: ActorRefFrom<typeof roomMachine>;
  viewers: number;
}

/** Rooms with viewers, and rooms whose last viewer left less than the linger time ago. */
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
