import type { RoomName, ServerId } from '../../machines/ports.js';
import type { Roster } from '../../machines/roster.js';
import type { Tally } from '../../machines/tally.js';

/** The data that counts are taken from. */
export interface Counted {
  tally: Tally;
  roster: Roster;
  /** Whether every discovery source has answered since the start; if not, servers may be missing. */
  haveSourcesAnswered: boolean;
}

/** Servers written in JavaScript cannot report this room: it is missing in their JSON. Only deltas have it. */
const isReported = (room: RoomName) => room !== '__proto__';

/**
 * The counts at one moment, for one answer. A count is 0 only if servers reported 0, and null if it is
 * unknown. A count above 0 is the sum of the servers that reported; `isComplete` tells whether all did.
 */
export class KnownCounts {
  readonly #tally: Tally;
  readonly #roster: Roster;
  readonly #haveSourcesAnswered: boolean;
  /** Whether every known server is live and counted in full. */
  readonly isComplete: boolean;
  #isAllReported: boolean | undefined;

  constructor({ tally, roster, haveSourcesAnswered }: Counted, isComplete: boolean) {
    this.#tally = tally;
    this.#roster = roster;
    this.#haveSourcesAnswered = haveSourcesAnswered;
    this.isComplete = isComplete;
  }

  /** Connections of a room on all servers. */
  of(room: RoomName): number | null {
    return this.#known(this.#tally.totals.get(room) ?? 0, isReported(room));
  }

  /** Connections of a room on one server; null: unknown, or the room may be over the server's limit. */
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

  /** Whether the count of a room includes all connections. */
  isCompleteFor(room: RoomName): boolean {
    return this.isComplete && isReported(room);
  }

  /** Connections in all rooms. */
  get connections(): number | null {
    return this.#known(this.#tally.connections);
  }

  /** Rooms with a connection. */
  get rooms(): number | null {
    return this.#known(this.#tally.totals.size);
  }

  /** Whether any server has reported; if not, no count is known. */
  get isAnyReported(): boolean {
    for (const { server } of this.#roster.shown())
      if (this.#tally.baseOf(server) !== undefined) return true;
    return false;
  }

  /** A count of 0 is known only if all servers have reported. */
  #known(count: number, isReported = true): number | null {
    return count > 0 || (isReported && this.#haveAllReported()) ? count : null;
  }

  #haveAllReported(): boolean {
    this.#isAllReported ??=
      this.#haveSourcesAnswered &&
      this.#roster.size > 0 &&
      [...this.#roster.shown()].every(({ server }) => this.#isReportedInFull(server));
    return this.#isAllReported;
  }

  /** False for a server that is deaf or may have restarted: it reported, but may hold more by now. */
  #isReportedInFull(server: ServerId): boolean {
    if (this.#roster.get(server)?.status === 'deaf' || this.#tally.snapshotDue.has(server))
      return false;
    return this.#tally.baseOf(server) !== undefined && !this.#tally.overLimit.has(server);
  }
}
