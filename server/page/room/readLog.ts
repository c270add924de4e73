import type { LogEntry } from '../../wire/logEntry.js';

const retryMs = 3000;

/** What the reading of a room's log needs of the rest of the page. */
export interface LogReading {
  /** Asks the service; rejects when it cannot answer. */
  ask: () => Promise<readonly LogEntry[]>;
  add: (entries: readonly LogEntry[]) => void;
  /** Whether the room's stream is still there. */
  isWanted: () => boolean;
  /** Between two attempts; for tests to shorten. */
  retryMs?: number;
}

/** Reads what was logged before, again and again until it can be had: an empty log says that nothing was. */
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
