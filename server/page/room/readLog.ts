import type { LogEntry } from '../../wire/logEntry.js';

const retryMs = 3000;

/** What `readLog` needs. */
export interface LogReading {
  /** Reads the log from the service. Rejects on failure. */
  ask: () => Promise<readonly LogEntry[]>;
  add: (entries: readonly LogEntry[]) => void;
  /** Whether the stream of the room is still open. */
  isWanted: () => boolean;
  /** Time between two attempts; tests shorten it. */
  retryMs?: number;
}

/** Reads the earlier log, and retries until it succeeds: an empty list would claim that there were no updates. */
export async function readLog(reading: LogReading): Promise<void> {
  while (reading.isWanted()) {
    try {
      reading.add(await reading.ask());
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, reading.retryMs ?? retryMs));
    }
  }
}
