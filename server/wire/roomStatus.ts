import type { RoomChannelStanding, RoomStanding } from '../../machines/ports.js';
import type { Divergence, MissingRanges } from './divergence.js';

/** The state of a watched room; docs/protocol.md explains each. */
export type ShownStanding = RoomStanding | 'unaskable';

/** The state of the room's channel for updates: on Redis, or what its servers post. */
export type ChannelStanding = RoomChannelStanding | 'refused';

/** The state of the room's channel for awareness. */
export type PresenceStanding = 'none' | 'connecting' | 'subscribed' | 'lost' | 'refused';

/** A server whose answer for the room could not be read, and why. */
export interface UnreadableServer {
  server: string;
  reason: string;
}

/** A server that cannot apply updates because it lacks others. */
export type WaitingServer = MissingRanges & { readonly server: string };

/** Problems found with the room's servers and its channel. */
export interface RoomFindings {
  diverged: readonly Divergence[];
  unreadable: readonly UnreadableServer[];
  waitingFor: readonly WaitingServer[];
  /** Messages on the channel that were not updates. */
  garbage: number;
}

/** Data of the event `room`. */
export interface RoomStatus extends RoomFindings {
  room: string;
  state: ShownStanding;
  /** Whether the servers that seem to hold it can be asked for a room of this name. */
  askable: boolean;
  /** Where changes come from now. */
  source: 'redis' | 'posts' | 'poll';
  /** Whether the channels are on Redis. If not, they are what the servers post. */
  redis: boolean;
  channel: ChannelStanding;
  presence: PresenceStanding;
  /** Servers whose state is in the document. */
  servers: readonly string[];
  /** Servers that may hold the room but were not asked, because they are too many. */
  notAsked: number;
  tooLarge: boolean;
}
