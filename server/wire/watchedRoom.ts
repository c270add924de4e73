import type { ShownStanding } from './roomStatus.js';

/** A room that somebody watches, and the servers with a finding. Answer of `GET /api/watched`, one for each room. */
export interface WatchedRoom {
  room: string;
  /** Its open streams, of all instances. */
  viewers: number;
  state: ShownStanding;
  /** Servers that hold something else than the others. */
  diverged: readonly string[];
  /** Servers whose last answer could not be read. */
  unreadable: readonly string[];
  /** Servers that cannot apply updates because they lack others. */
  waitingFor: readonly string[];
}
