import type { ServerView } from './serverView.js';
import type { IncompleteReason, ServiceState } from './serviceState.js';

/** The state of the service as the stream sends it. */
export type FeedStatus = Pick<ServiceState, 'state' | 'complete' | 'reason'>;

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

/**
 * What the leader tells other instances of its state, in the event `status` of its stream for them.
 * `snapshot`, `changes` and `servers` have no status there.
 */
export interface LeaderStatus extends FeedStatus, Pick<ServiceState, 'detail'> {
  /** The servers posted to an earlier leader, and not all have answered this one yet; for 5 s at most. */
  isTakeover: boolean;
}

/** Why numbers of an instance in a cluster are not complete. */
export type StreamReason =
  | IncompleteReason
  /** The instance does not hear from the leader, or a new leader does not have all numbers yet. */
  | 'leader_lost'
  /** No instance leads, or the instance does not know which. */
  | 'no_leader';

/** Data of the event `status`, which only instances in a cluster send. It has no id. */
export interface FleetStatus extends Omit<FeedStatus, 'reason'> {
  reason: StreamReason | null;
  /** Term of the leader that the numbers are of; null: there are none yet. */
  term: number | null;
  /** How old the last numbers are, in milliseconds; absent: they are current. */
  ageMs?: number;
}
