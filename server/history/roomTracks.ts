import type { RoomName } from '../../machines/ports.js';
import { BoundedMap } from '../boundedMap.js';
import { Track, type TrackPart } from './track.js';

/** The busiest rooms that have a history. */
export const busiestTracked = 1000;
/** Those of the last hour together, and the watched ones. */
const maxTracks = 2000;
/** The history of a room with a longer name is not kept. */
export const maxNameLength = 2048;
export const stepSeconds = 30;
export const length = 120;
export const keptSeconds = stepSeconds * length;

interface RoomTrack {
  track: Track;
  /** When the room was last watched or among the busiest. */
  wantedAtSecond: number;
}

/** Connections of watched rooms and of the busiest ones, an hour by half minutes. At most 2,000 rooms. */
export class RoomTracks {
  /** The room that has not been wanted for the longest time is the first. */
  readonly #tracks = new BoundedMap<RoomName, RoomTrack>(maxTracks);

  get size(): number {
    return this.#tracks.size;
  }

  /** Notes the numbers of all rooms that are wanted now, or were in the last hour. */
  note(
    second: number,
    wanted: Iterable<RoomName>,
    countOf: (room: RoomName) => number | null,
  ): void {
    for (const room of wanted) if (room.length <= maxNameLength) this.#want(room, second);
    for (const [room, { track, wantedAtSecond }] of this.#tracks) {
      const isOld = second - wantedAtSecond > keptSeconds;
      if (isOld) this.#tracks.delete(room);
      else track.note(second, [countOf(room)]);
    }
  }

  read(room: RoomName, nowSecond: number): TrackPart {
    const known = this.#tracks.get(room);
    return known?.track.read(nowSecond) ?? { fromSecond: undefined, columns: [[]] };
  }

  #want(room: RoomName, wantedAtSecond: number): void {
    const track = this.#tracks.get(room)?.track ?? new Track({ stepSeconds, length, columns: 1 });
    this.#tracks.set(room, { track, wantedAtSecond });
  }
}
