import type { ServerView } from '../../wire/serverView.js';

/** How a stream is doing. Times are those of `steadyNow()` where the status is. */
export type StreamStatus =
  | { kind: 'connecting' }
  | { kind: 'live' }
  /** Nothing has come since then, though heartbeats should have. */
  | { kind: 'stale'; sinceMs: number }
  | { kind: 'reconnecting'; sinceMs: number; reason: string; retryAtMs: number }
  /** All connections that the browser has for this service are taken. */
  | { kind: 'waiting' }
  /** The service asks for a token. */
  | { kind: 'signedOut' };

/** An event of a stream as it came. */
export interface StreamEvent {
  event: string;
  data: string;
}

/** Rooms and their connections side by side: names such as `__proto__` are safe so, and arrays clone fast. */
export interface RoomColumns {
  names: string[];
  counts: number[];
}

/** What changed about the fleet; `snapshot` replaces everything, its rooms being sorted already. */
export interface FleetNews {
  kind: 'snapshot' | 'changes';
  state?: string | undefined;
  complete?: boolean | undefined;
  servers?: ServerView[];
  rooms?: RoomColumns;
}

/** From a tab to the hub. */
export type ToHub =
  /** Says who is there, or is there again, where the service is, and whether it would let the tab look. */
  | { type: 'hello'; base: string; isMultiplexed: boolean; maySee: boolean }
  | { type: 'open'; stream: number; url: string }
  | { type: 'close'; stream: number }
  /** Do not wait for the next attempt. */
  | { type: 'retry' }
  | { type: 'signedIn' }
  | { type: 'signedOut' }
  | { type: 'pong' }
  | { type: 'bye' };

/** From the hub to a tab. */
export type ToTab =
  | { type: 'news'; news: FleetNews }
  /** `nowMs` is the hub's `steadyNow()`, by which the tab translates the times of the status. */
  | { type: 'fleetStatus'; status: StreamStatus; nowMs: number }
  | { type: 'event'; stream: number; event: StreamEvent }
  | { type: 'status'; stream: number; status: StreamStatus; nowMs: number }
  | { type: 'ping' }
  /** This tab was taken for gone: it has to say hello again. */
  | { type: 'unknownTab' };

/** An end of a channel between a tab and the hub; both of the browser's kinds fit. */
export interface Port<Out, In> {
  postMessage(message: Out): void;
  onmessage: ((event: { data: In }) => void) | null;
  close(): void;
}
