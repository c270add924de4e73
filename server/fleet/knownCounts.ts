import type { RoomName, ServerId } from '../../machines/ports.js';
import type { Roster } from '../../machines/roster.js';
import type { Tally } from '../../machines/tally.js';

/** Where the counts are. */
export interface Counted {
  tally: Tally;
  roster: Roster;
  /** Whether every source of servers has answered once: else there may be servers that nobody knows of. */
  areSourcesHeard: boolean;
}

/** Servers written in JavaScript report this room as `{}`: it is known from deltas alone. */
const isReported = (room: RoomName) => room !== '__proto__';

/**
 * The counts at one moment, for one answer. A count is 0 only where servers reported it, and null where
 * nothing is known. A count above 0 is of the servers that reported; `isComplete` says whether all did.
 */
export class KnownCounts {
  readonly #tally: Tally;
  readonly #roster: Roster;
  readonly #areSourcesHeard: boolean;
  /** Whether every known server is live and counted in full. */
  readonly isComplete: boolean;
  #areAllReported: boolean | undefined;

  constructor({ tally, roster, areSourcesHeard }: Counted, isComplete: boolean) {
    this.#tally = tally;
    this.#roster = roster;
    this.#areSourcesHeard = areSourcesHeard;
    this.isComplete = isComplete;
  }

  /** Connections of a room over all servers. */
  of(room: RoomName): number | null {
    return this.#known(this.#tally.totals.get(room) ?? 0, isReported(room));
  }

  /** Connections of a room on one server; null also: it may be one of the rooms that were left out. */
  on(server: ServerId, room: RoomName): number | null {
    const count = this.#tally.countOn(server, room);
    if (count > 0) return count;
    return this.#isReportedInFull(server) && isReported(room) ? 0 : null;
  }

  /** Servers that report connections to a room. */
  serversOf(room: RoomName): number | null {
    let servers = 0;
    for (const { server } of this.#roster) if (this.#tally.countOn(server, room) > 0) servers += 1;
    return this.#known(servers, isReported(room));
  }

  /** Whether the count of a room has all connections that there are. */
  isCompleteFor(room: RoomName): boolean {
    return this.isComplete && isReported(room);
  }

  /** Connections of all rooms. */
  get connections(): number | null {
    return this.#known(this.#tally.connections);
  }

  /** Rooms with a connection. */
  get rooms(): number | null {
    return this.#known(this.#tally.totals.size);
  }

  /** Whether any server has reported: else no count is known. */
  get isAnyReported(): boolean {
    for (const { server } of this.#roster.shown())
      if (this.#tally.baseOf(server) !== undefined) return true;
    return false;
  }

  /** Nothing counted is known to be nothing only when everybody has reported. */
  #known(count: number, isReported = true): number | null {
    return count > 0 || (isReported && this.#haveAllReported()) ? count : null;
  }

  #haveAllReported(): boolean {
    this.#areAllReported ??=
      this.#areSourcesHeard &&
      this.#roster.size > 0 &&
      [...this.#roster.shown()].every(({ server }) => this.#isReportedInFull(server));
    return this.#areAllReported;
  }

  /** A deaf server has reported, but may hold more by now, and so may one that has begun anew. */
  #isReportedInFull(server: ServerId): boolean {
    if (this.#roster.get(server)?.status === 'deaf' || this.#tally.unsettled.has(server))
      return false;
    return this.#tally.baseOf(server) !== undefined && !this.#tally.overLimit.has(server);
  }
}
