import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RoomName } from '../../machines/ports.js';
import type { Delta } from '../../machines/tally.js';
import type { ObservationsTable } from '../store/store.js';
import type { ObservationsReport } from '../wire/observationsReport.js';
import { ObservationKeeper } from './observationKeeper.js';
import { SeenConnections } from './seenConnections.js';
import { type SeenRoom, SeenRooms } from './seenRooms.js';
import { WatchedTimes, type Watching } from './watchedTimes.js';

/** What observations need of the rest of the service. */
export interface ObservationsNeeds {
  /** Connections by room. */
  totals: () => ReadonlyMap<RoomName, number>;
  watching: () => Watching;
  /** Undefined: observations are kept only in memory. */
  table: ObservationsTable | undefined;
  log: Logger;
  /** Default: `Date.now`. */
  now?: () => number;
}

const hourMs = 60 * 60 * 1000;
/** How long it is kept. */
export const observedForMs = 48 * hourMs;
const tickMs = 1000;
const sweepTicks = 10;
const saveTicks = 60;
/** Connections that are noted in a second; more would slow down the handling of posts. */
const maxPerSecond = 200;
/** Rooms of one sweep, and of one turn of the event loop. */
const maxSwept = 20_000;
const sliceRooms = 500;

/**
 * What the service observes while it is active: when rooms have connections, and connections that open. It
 * is limited in size, kept for 48 hours, and costs little time for each post.
 */
export class Observations {
  readonly #needs: ObservationsNeeds;
  readonly #rooms = new SeenRooms();
  readonly #connections = new SeenConnections();
  readonly #times = new WatchedTimes();
  readonly #keeper: ObservationKeeper | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #budget = maxPerSecond;
  #isSweeping = false;
  #roomsLeftOut = 0;
  #connectionsLeftOut = 0;
  #isClosed = false;

  constructor(needs: ObservationsNeeds) {
    this.#needs = needs;
    const { table, log } = needs;
    const parts = { rooms: this.#rooms, connections: this.#connections, times: this.#times };
    this.#keeper = table && new ObservationKeeper(table, parts, log);
  }

  /** Starts observing if the service has become active. Called on every change, so it must be cheap. */
  touch(): void {
    if (this.#timer || this.#isClosed || !this.#needs.watching().isCounting) return;
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#times.note(this.#needs.watching(), this.#now());
  }

  /** Notes connections that opened, within the limit of this second. */
  take(deltas: readonly Delta[]): void {
    if (!this.#timer) return;
    for (const { room, add } of deltas) {
      if (add <= 0) continue;
      const seen = Math.min(add, this.#budget);
      this.#connectionsLeftOut += add - seen;
      if (seen === 0) continue;
      this.#budget -= seen;
      const nowMs = this.#now();
      this.#rooms.note(room, nowMs);
      for (let i = 0; i < seen; i += 1) this.#connections.note(room, nowMs);
    }
  }

  /** When a room had a connection in the last 48 hours. */
  roomSeen(room: RoomName): SeenRoom | undefined {
    const seen = this.#rooms.get(room);
    return seen && seen.lastMs >= this.#sinceMs ? seen : undefined;
  }

  get connections(): Pick<SeenConnections, 'since' | 'newestFirst'> {
    this.#connections.forgetBefore(this.#sinceMs);
    return this.#connections;
  }

  report(): ObservationsReport {
    this.#forgetOld();
    const sinceMs = this.#sinceMs;
    return {
      observing: this.#times.isOpen,
      since: new Date(sinceMs).toISOString(),
      gaps: this.#times.gaps(sinceMs),
      rooms: { kept: this.#rooms.size, leftOut: this.#timer ? this.#roomsLeftOut : 0 },
      connections: {
        kept: this.#connections.size,
        leftOut: this.#connectionsLeftOut + this.#connections.displaced,
      },
      saved: this.#keeper?.report() ?? null,
    };
  }

  /** Stops observing and saves; resolves when the save is done or has failed. */
  async close(): Promise<void> {
    if (this.#isClosed) return this.#keeper?.close();
    this.#isClosed = true;
    this.#pause();
    return this.#keeper?.close();
  }

  #tick(): void {
    this.#ticks += 1;
    this.#budget = maxPerSecond;
    const watching = this.#needs.watching();
    if (!watching.isCounting) {
      this.#pause();
      void this.#keeper?.save();
      return;
    }
    this.#times.note(watching, this.#now());
    // The first sweep is soon, because the service may be active for only a few seconds.
    if (this.#ticks % sweepTicks === 1) void this.#sweep();
    if (this.#ticks % saveTicks === 0) {
      this.#forgetOld();
      void this.#keeper?.save();
    }
  }

  #pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#ticks = 0;
    this.#times.note({ isCounting: false, isComplete: false }, this.#now());
  }

  /** Notes the rooms that have a connection, in slices. */
  async #sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const totals = this.#needs.totals();
    let [swept, noted] = [0, 0];
    for (const room of totals.keys()) {
      // Dropped counts are replaced by another map.
      if (!this.#timer || totals !== this.#needs.totals() || swept === maxSwept) break;
      swept += 1;
      if (this.#rooms.note(room, this.#now())) noted += 1;
      if (swept % sliceRooms === 0) await nextTurn();
    }
    this.#roomsLeftOut = Math.max(0, totals.size - noted);
    this.#isSweeping = false;
  }

  #forgetOld(): void {
    this.#rooms.forgetBefore(this.#sinceMs);
    this.#connections.forgetBefore(this.#sinceMs);
    this.#times.forgetBefore(this.#sinceMs);
  }

  #now(): number {
    return (this.#needs.now ?? Date.now)();
  }

  get #sinceMs(): number {
    return this.#now() - observedForMs;
  }
}
