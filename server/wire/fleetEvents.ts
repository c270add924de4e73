import type { ServerView } from './serverView.js';
import type { ServiceState } from './serviceState.js';

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
