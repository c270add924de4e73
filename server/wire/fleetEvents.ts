import type { ServerView } from './serverView.js';
import type { IncompleteReason } from './serviceState.js';

/** The state of the service as the stream sends it. */
export interface FeedStatus {
  /** State of the activation machine. */
  state: string;
  /** Whether there are known servers, and the totals include all of them. */
  complete: boolean;
  /** Why the totals are not complete; null: they are. */
  reason: IncompleteReason | null;
}

/** Data of the event `snapshot`: everything. */
export interface FleetSnapshot extends FeedStatus {
  version: number;
  servers: ServerView[];
  /** Connections by room. */
  rooms: Record<string, number>;
}

/** Data of the events `changes` and `servers`: what changed. A room with 0 connections is gone. */
export interface FleetChanges extends Partial<Omit<FleetSnapshot, 'version'>> {
  version: number;
}
