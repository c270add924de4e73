import type { RoomName } from '../../machines/ports.js';
import { type Clock, systemClock, type Timer } from '../timing/clock.js';
import type {
  FleetHistory,
  HistoryTimes,
  RoomHistory,
  ServerHistory,
} from '../wire/historyReport.js';
import { busiestRooms } from './busiestRooms.js';
import { NumberTracks, type Step } from './numberTracks.js';
import { type RoomParts, RoomServerTracks } from './roomServerTracks.js';
import { busiestTracked, RoomTracks } from './roomTracks.js';
import { type ServerSize, ServerTracks } from './serverTracks.js';
import type { TrackPart } from './track.js';

/** The numbers of the whole fleet. Null: not known. */
export interface FleetNumbers {
  connections: number | null;
  rooms: number | null;
  servers: number;
  live: number;
  complete: boolean;
}

/** What a history reads while the service counts. */
export interface HistorySource {
  numbers: () => FleetNumbers;
  sizes: () => Iterable<ServerSize>;
  /** Connections by room. */
  totals: () => ReadonlyMap<RoomName, number>;
  /** Makes a function that looks up the connections of a room. */
  counts: () => (room: RoomName) => number | null;
  watchedRooms: () => Iterable<RoomName>;
  partsOf: (room: RoomName) => RoomParts;
}

/** What a history needs. */
export interface HistoryNeeds {
  /** Undefined: the service does not count now. */
  source: () => HistorySource | undefined;
  clock?: Clock;
}

/** A second in which the process was too busy to look has the next numbers, up to this many. More are a gap. */
const maxLateSeconds = 5;
const roomTicks = 10;
/** Of the numbers of the fleet. */
const completeColumn = 4;

const flagOf = (number: number | null = null) => (number === null ? null : number === 1);

/**
 * The recent past, while the service counts: of the fleet and of each server, ten minutes by second and a day by
 * half minutes; of rooms, an hour by half minutes, of watched ones by server too. In memory only. At most 32 MB with 1,000 servers, besides names of rooms.
 */
export class History {
  readonly #needs: HistoryNeeds;
  readonly #clock: Clock;
  readonly #fleet = new NumberTracks(5);
  readonly #servers = new ServerTracks();
  readonly #rooms = new RoomTracks();
  readonly #roomServers = new RoomServerTracks();
  #timer: Timer;
  #ticks = 0;
  #lastSecond = 0;
  #isLookingAtRooms = false;
  #isClosed = false;

  constructor(needs: HistoryNeeds) {
    this.#needs = needs;
    this.#clock = needs.clock ?? systemClock;
  }

  /** Begins if the service has begun to count. Called on every change, so it must be cheap. */
  touch(): void {
    if (this.#timer !== undefined || this.#isClosed || !this.#needs.source()) return;
    this.#ticks = 0;
    this.#lastSecond = 0;
    this.#wait();
  }

  ofFleet(step: Step): FleetHistory {
    const part = this.#fleet.read(step, this.#nowSecond);
    const [connections = [], rooms = [], servers = [], live = [], complete = []] = part.columns;
    return {
      ...this.#times(step, part),
      connections,
      rooms,
      servers,
      live,
      complete: complete.map(flagOf),
      kept: { servers: this.#servers.size, rooms: this.#rooms.size },
      leftOut: { servers: this.#servers.leftOut },
    };
  }

  /** A server that is not known has no entries. */
  ofServer(server: string, step: Step): ServerHistory {
    const part = this.#servers.read(server, step, this.#nowSecond);
    const [connections = [], rooms = []] = part.columns;
    return { server, ...this.#times(step, part), connections, rooms };
  }

  /** A room that was neither watched nor among the busiest has no entries. */
  ofRoom(room: RoomName): RoomHistory {
    const part = this.#rooms.read(room, this.#nowSecond);
    const [connections = []] = part.columns;
    return { room, ...this.#times(30, part), connections };
  }

  /** The same, with what the numbers include, and by server if it is watched or was in the last hour. */
  ofRoomInDetail(room: RoomName): RoomHistory {
    const part = this.#rooms.read(room, this.#nowSecond);
    const servers = this.#roomServers.read(room, this.#nowSecond, part);
    const complete = this.#completeIn(part);
    return { ...this.ofRoom(room), complete, ...(servers && { servers }) };
  }

  close(): void {
    this.#isClosed = true;
    this.#pause();
  }

  /** Whether all servers were counted at the times of a part with half minutes. */
  #completeIn({ fromSecond = 0, columns: [numbers = []] }: TrackPart): (boolean | null)[] {
    const fleet = this.#fleet.read(30, this.#nowSecond);
    const offset = (fromSecond - (fleet.fromSecond ?? fromSecond)) / 30;
    return numbers.map((_, i) => flagOf(fleet.columns[completeColumn]?.[offset + i]));
  }

  get #nowSecond(): number {
    return Math.floor(this.#clock.wallMs() / 1000);
  }

  #times(step: Step, { fromSecond }: TrackPart): HistoryTimes {
    const from = fromSecond === undefined ? null : new Date(fromSecond * 1000).toISOString();
    return { step, from, active: this.#timer !== undefined };
  }

  /** Until the middle of the next second: a timer that is somewhat early or late misses none. */
  #wait(): void {
    const ms = 1500 - (this.#clock.wallMs() % 1000);
    this.#timer = this.#clock.setTimeout(() => this.#tick(), ms);
  }

  #pause(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    this.#timer = undefined;
    const source = this.#needs.source();
    if (!source) return;
    this.#wait();
    const seconds = this.#secondsUntil(this.#nowSecond);
    const { connections, rooms, servers, live, complete } = source.numbers();
    for (const second of seconds)
      this.#fleet.note(second, [connections, rooms, servers, live, complete ? 1 : 0]);
    this.#servers.note(seconds, source.sizes());
    if (this.#ticks % roomTicks === 0) void this.#lookAtRooms(source);
    this.#ticks += 1;
  }

  /** This second, and those before it that were missed. */
  #secondsUntil(now: number): number[] {
    const last = this.#lastSecond;
    this.#lastSecond = now;
    const isLate = now > last && now - last <= maxLateSeconds;
    return isLate ? Array.from({ length: now - last }, (_, i) => last + 1 + i) : [now];
  }

  async #lookAtRooms(source: HistorySource): Promise<void> {
    if (this.#isLookingAtRooms) return;
    this.#isLookingAtRooms = true;
    const totals = source.totals();
    // Dropped counts are replaced by another map.
    const isWanted = () => this.#timer !== undefined && source.totals() === totals;
    const busiest = await busiestRooms(totals, busiestTracked, isWanted);
    this.#isLookingAtRooms = false;
    if (!busiest || !isWanted()) return;
    const watched = [...source.watchedRooms()];
    const wanted = new Set([...busiest, ...watched]);
    this.#rooms.note(this.#nowSecond, wanted, source.counts());
    this.#roomServers.note(this.#nowSecond, watched, source.partsOf);
  }
}
