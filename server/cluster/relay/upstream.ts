import type { Term } from '../../../machines/ports.js';

/** One message of the leader's stream for instances. */
export interface UpstreamEvent {
  /** `snapshot`, `changes`, `servers`, `status`, `activity` or `resumed`; others are ignored. */
  readonly name: string;
  /** `<term>.<activation>-<version>`; empty: it has none. */
  readonly id: string;
  /** JSON in UTF-8. */
  readonly data: Buffer;
  /** The whole message, ready to be passed on. */
  readonly frame: Buffer;
}

/** What an upstream reports, in the order in which the leader sent it. */
export interface UpstreamEvents {
  onEvent(event: UpstreamEvent): void;
  /** The leader of this term leads, and all events until now have been delivered. */
  onBeat(term: Term): void;
  /** The leader is there, but has not sent everything yet. */
  onProgress(): void;
  /** Once, also if it could not be opened. Nothing comes afterwards, and nothing after `close`. */
  onEnd(cause: string): void;
}

/** A stream that is open, or being opened. */
export interface OpenUpstream {
  close(): void;
}

/** Where a relay gets the fleet from: the feed of this process, or the leader's stream. */
export interface Upstream {
  /** The term of its leader. Beats and events of another term are not believed. */
  readonly term: Term;
  /**
   * Opens the stream, after an event id if one is given. It may report before it returns. It does not
   * reopen after an end: the relay does.
   */
  open(events: UpstreamEvents, lastEventId?: string): OpenUpstream;
}
