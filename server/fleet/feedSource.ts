import type { RoomName } from '../../machines/ports.js';
import type { FeedStatus } from '../wire/fleetEvents.js';
import type { ServerView } from '../wire/serverView.js';

/** What the feed reads when it is about to send; `FleetView` is the one of the service. */
export interface FeedSource {
  /** Connections by room. */
  readonly totals: ReadonlyMap<RoomName, number>;
  /** Rooms that changed since the last call. The caller may keep and change the set. */
  takeChangedRooms(): Set<RoomName>;
  /** Servers that changed since the last call. */
  takeChangedServers(): ServerView[];
  servers(): ServerView[];
  status(): FeedStatus;
}
