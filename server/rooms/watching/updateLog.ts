import type { LogEntry, UpdateSummary } from '../../wire/logEntry.js';

/** Updates that are kept. */
export const maxEntries = 500;

/** The last 500 updates of a watched room. */
export class UpdateLog {
  #entries: LogEntry[] = [];
  #number = 0;
  /** Messages on the channel that were not updates. */
  garbage = 0;

  add(summary: UpdateSummary): LogEntry {
    this.#number += 1;
    const entry = { number: this.#number, at: new Date().toISOString(), ...summary };
    this.#entries.push(entry);
    if (this.#entries.length > maxEntries) this.#entries.shift();
    return entry;
  }

  /** The entries, newest first. */
  newestFirst(): LogEntry[] {
    return this.#entries.toReversed();
  }
}
