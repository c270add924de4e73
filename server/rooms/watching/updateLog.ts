import type { LogEntry, UpdateSummary } from '../../wire/logEntry.js';

const maxEntries = 500;

/** The newest updates of a watched room, a bounded number of them. */
export class UpdateLog {
  #entries: LogEntry[] = [];
  #number = 0;
  /** Messages on the channel that were no update. */
  garbage = 0;

  add(summary: UpdateSummary): LogEntry {
    this.#number += 1;
    const entry = { number: this.#number, at: new Date().toISOString(), ...summary };
    this.#entries.push(entry);
    if (this.#entries.length > maxEntries) this.#entries.shift();
    return entry;
  }

  /** The entries, the newest first. */
  newestFirst(): LogEntry[] {
    return this.#entries.toReversed();
  }
}
