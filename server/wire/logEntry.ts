import type { ClockRange } from './divergence.js';
import type { RoomFindings } from './roomStatus.js';

/** A format of a text, such as `bold`. */
export interface FormatChange {
  readonly name: string;
  /** `moved`: it was set in one place and removed in another. */
  readonly change: 'set' | 'removed' | 'moved';
}

/** Summary of one update. Its size is bounded, whatever the size of the update. */
export interface UpdateSummary {
  readonly bytes: number;
  /** Clients and clocks in the update, by client; the first 50. */
  readonly clients: readonly ClockRange[];
  /** Inserted characters, list elements, map values and shared types; formatting is not counted. */
  readonly inserted: number;
  /** Elements in the delete set, without formatting. */
  readonly deleted: number;
  /** What it does to the formatting of texts; the first 10. Empty also if the service has no document of the room. */
  readonly formats: readonly FormatChange[];
  /** Names of the root types that the update changes, sorted; the first 50, long names cut. */
  readonly types: readonly string[];
  /** Ranges and types that are not listed. */
  readonly more: number;
  /** False: Yjs applies the update, but the service cannot describe it. Only `bytes` is set then. */
  readonly isExamined: boolean;
}

/** An update in the log of a room. */
export interface LogEntry extends UpdateSummary {
  /** Number of the update since the room is watched, from 1. */
  number: number;
  /** When it arrived, in ISO 8601. */
  at: string;
}

/** Answer of `GET /api/room/log`. */
export interface RoomLog extends Partial<RoomFindings> {
  id: string;
  /** Whether somebody watches the room; if not, `entries` is empty. */
  watched: boolean;
  /** Newest first. */
  entries: readonly LogEntry[];
}
