import type { ServerId } from '../../machines/ports.js';
import { lengths, NumberTracks, type Step } from './numberTracks.js';
import type { TrackPart } from './track.js';

/** The numbers of one server. Null: it has not reported. */
export interface ServerSize {
  server: ServerId;
  connections: number | null;
  rooms: number | null;
}

const maxServers = 1000;
const keptSeconds = 30 * lengths[30];
/** A server that was not known for so long may be replaced by another one. */
const goneSeconds = 60;

/** Connections and rooms by server, for the first 1,000: 28 kB each. A gone server makes room for a new one. */
export class ServerTracks {
  /** The server that has not been known for the longest time is the first. */
  readonly #tracks = new Map<ServerId, NumberTracks>();
  #leftOut = 0;

  get size(): number {
    return this.#tracks.size;
  }

  /** Servers that were left out when numbers were last noted. */
  get leftOut(): number {
    return this.#leftOut;
  }

  note(seconds: readonly number[], sizes: Iterable<ServerSize>): void {
    const now = seconds.at(-1) ?? 0;
    this.#leftOut = 0;
    this.#forget(now - keptSeconds);
    for (const { server, connections, rooms } of sizes) {
      const tracks = this.#tracks.get(server) ?? this.#newTracks(now);
      if (!tracks) {
        this.#leftOut += 1;
        continue;
      }
      this.#tracks.delete(server);
      this.#tracks.set(server, tracks);
      for (const second of seconds) tracks.note(second, [connections, rooms]);
    }
  }

  read(server: string, step: Step, nowSecond: number): TrackPart {
    const tracks = this.#tracks.get(server as ServerId);
    return tracks?.read(step, nowSecond) ?? { fromSecond: undefined, columns: [[], []] };
  }

  /** Undefined: there is no place. */
  #newTracks(now: number): NumberTracks | undefined {
    if (this.#tracks.size >= maxServers) {
      const [longestGone] = this.#tracks;
      if (!longestGone || now - longestGone[1].newestSecond < goneSeconds) return undefined;
      this.#tracks.delete(longestGone[0]);
    }
    return new NumberTracks(2);
  }

  #forget(beforeSecond: number): void {
    for (const [server, { newestSecond }] of this.#tracks) {
      if (newestSecond >= beforeSecond) return;
      this.#tracks.delete(server);
    }
  }
}
