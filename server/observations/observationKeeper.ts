import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ObservationsTable } from '../store/store.js';
import type { SaveReport } from '../wire/observationsReport.js';
import { fromBlocks, toBlocks } from './savedRows.js';
import type { SeenConnections } from './seenConnections.js';
import type { SeenRooms } from './seenRooms.js';
import type { WatchedTimes } from './watchedTimes.js';

/** What is saved. */
export interface KeptParts {
  rooms: SeenRooms;
  connections: SeenConnections;
  times: WatchedTimes;
}

const retryMs = 5000;

/** Loads the observations of earlier runs, and saves them. Loads and saves do not overlap. */
export class ObservationKeeper {
  readonly #table: ObservationsTable;
  readonly #parts: KeptParts;
  readonly #log: Logger;
  readonly #closing = new AbortController();
  readonly #loaded: Promise<boolean>;
  #isLoaded = false;
  #saving: Promise<void> | undefined;
  #savedAt: string | null = null;
  #failures = 0;

  constructor(table: ObservationsTable, parts: KeptParts, log: Logger) {
    this.#table = table;
    this.#parts = parts;
    this.#log = log;
    this.#loaded = this.#load();
  }

  /** Saves everything. Counts as a failure during another save, and before anything was loaded. */
  save(): Promise<void> {
    if (!this.#isLoaded || this.#saving) {
      this.#failures += 1;
      return this.#saving ?? Promise.resolve();
    }
    this.#saving = this.#write().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  report(): SaveReport {
    return { at: this.#savedAt, failures: this.#failures };
  }

  /** Saves once more, unless nothing was loaded: that would overwrite earlier observations. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (!(await this.#loaded)) return;
    await this.#saving;
    await this.save();
  }

  async #load(): Promise<boolean> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const { rooms, connections, times } = fromBlocks(await this.#table.load());
        this.#parts.rooms.restore(rooms);
        this.#parts.connections.restore(connections);
        this.#parts.times.restore(times);
        this.#isLoaded = true;
        return true;
      } catch (error) {
        this.#log.warn({ err: error }, 'the observations could not be loaded; retrying');
        await pause(retryMs, undefined, { ref: false, signal }).catch(() => {});
      }
    }
    return false;
  }

  async #write(): Promise<void> {
    try {
      await this.#table.save(toBlocks(this.#parts));
      this.#savedAt = new Date().toISOString();
    } catch (error) {
      this.#failures += 1;
      this.#log.warn({ err: error }, 'the observations could not be saved');
    }
  }
}
