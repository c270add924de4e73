import type { ActivityEvent } from '../../wire/activityEvent.js';
import type { ServerView } from '../../wire/serverView.js';

/** The state of a stream. Times are in the `steadyNow()` of the process that holds the status. */
export type StreamStatus =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** No data since then, not even heartbeats. */
  | { kind: 'stale'; sinceMs: number }
  | { kind: 'reconnecting'; sinceMs: number; reason: string; retryAtMs: number }
  /** Waits for a free connection of the browser. */
  | { kind: 'waiting' }
  /** The service requires a token. */
  | { kind: 'signedOut' };

/** A raw event of a stream. */
export interface StreamEvent {
  event: string;
  data: string;
}

/** Rooms and their connections as columns: safe for names such as `__proto__`, and fast to clone. */
export interface RoomColumns {
  names: string[];
  counts: number[];
}

/** A change of the fleet. `snapshot` replaces everything and has sorted rooms. */
export interface FleetUpdate {
  kind: 'snapshot' | 'changes';
  state?: string | undefined;
  complete?: boolean | undefined;
  /** Why it is not complete; null: it is. */
  reason?: string | null | undefined;
  /** How old the numbers are if the instance does not hear from its leader; null: they are current. */
  ageMs?: number | null | undefined;
  servers?: ServerView[];
  rooms?: RoomColumns;
}

/** From a tab to the hub. */
export type ToHub =
  /** Joins or rejoins. `base` is the service's URL; `hasAccess`: signed in, or no token required. */
  | { type: 'hello'; base: string; isMultiplexed: boolean; hasAccess: boolean }
  | { type: 'open'; stream: number; url: string }
  | { type: 'close'; stream: number }
  /** Reconnect immediately. */
  | { type: 'retry' }
  | { type: 'signedIn' }
  | { type: 'signedOut' }
  | { type: 'pong' }
  | { type: 'bye' };

/** From the hub to a tab. */
export type ToTab =
  | { type: 'update'; update: FleetUpdate }
  | { type: 'activity'; events: ActivityEvent[] }
  /** `nowMs` is the hub's `steadyNow()`. The tab uses it to convert the times of the status. */
  | { type: 'fleetStatus'; status: StreamStatus; nowMs: number }
  | { type: 'event'; stream: number; event: StreamEvent }
  | { type: 'status'; stream: number; status: StreamStatus; nowMs: number }
  | { type: 'ping' }
  /** The hub has removed this tab, which must send `hello` again. */
  | { type: 'unknownTab' };

/** A message port between a tab and the hub, of a shared worker or of a MessageChannel. */
export interface Port<Out, In> {
  postMessage(message: Out): void;
  onmessage: ((event: { data: In }) => void) | null;
  close(): void;
}
