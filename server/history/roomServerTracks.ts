import type { RoomName } from '../../machines/ports.js';
import type { RoomCounts } from '../wire/roomCounts.js';
import { keptSeconds, length, maxNameLength, stepSeconds } from './roomTracks.js';
import { Track, type TrackPart } from './track.js';

/** Connections of a room by server, and whether servers that are not among them have none. */
export type RoomParts = Pick<RoomCounts, 'servers' | 'complete'>;

const maxRooms = 50;
/** Of one room. Others have no history there. */
const maxServers = 16;
/** Rooms are looked at every 10 s. */
const unwatchedSeconds = 30;

interface RoomTrack {
  track: Track;
  /** Each has the column of its place. */
  servers: string[];
  watchedAtSecond: number;
}

/**
 * Connections by server of watched rooms, an hour by half minutes: 8 kB each, for 50 rooms. It goes on for an hour
 * after a room was watched, unless another room needs the place.
 */
export class RoomServerTracks {
  readonly #tracks = new Map<RoomName, RoomTrack>();

  note(second: number, watched: Iterable<RoomName>, partsOf: (room: RoomName) => RoomParts): void {
    for (const room of watched) if (room.length <= maxNameLength) this.#want(room, second);
    for (const [room, known] of this.#tracks) {
      const isOld = second - known.watchedAtSecond > keptSeconds;
      if (isOld) this.#tracks.delete(room);
      else noteParts(known, second, partsOf(room));
    }
  }

  /** By server, with the times of `whole`; undefined: nothing is kept of this room. */
  read(
    room: RoomName,
    nowSecond: number,
    { fromSecond, columns: [whole = []] }: TrackPart,
  ): Record<string, (number | null)[]> | undefined {
    const known = this.#tracks.get(room);
    if (!known || fromSecond === undefined) return undefined;
    const part = known.track.read(nowSecond);
    const offset = ((part.fromSecond ?? fromSecond) - fromSecond) / stepSeconds;
    const numbersOf = (i: number) => whole.map((_, at) => part.columns[i]?.[at - offset] ?? null);
    return Object.fromEntries(known.servers.map((server, i) => [server, numbersOf(i)]));
  }

  #want(room: RoomName, second: number): void {
    const known = this.#tracks.get(room);
    if (known) known.watchedAtSecond = second;
    else if (this.#tracks.size < maxRooms || this.#dropUnwatched(second)) {
      const track = new Track({ stepSeconds, length, columns: maxServers });
      this.#tracks.set(room, { track, servers: [], watchedAtSecond: second });
    }
  }

  /** Makes a place. Returns whether there was a room that nobody watches. */
  #dropUnwatched(second: number): boolean {
    for (const [room, { watchedAtSecond }] of this.#tracks)
      if (second - watchedAtSecond > unwatchedSeconds) return this.#tracks.delete(room);
    return false;
  }
}

function noteParts({ track, servers }: RoomTrack, second: number, parts: RoomParts): void {
  const counts = new Map(parts.servers?.map(({ id, connections }) => [id, connections]));
  for (const id of counts.keys())
    if (servers.length < maxServers && !servers.includes(id)) servers.push(id);
  const none = parts.complete ? 0 : null;
  track.note(
    second,
    servers.map((id) => counts.get(id) ?? none),
  );
}
