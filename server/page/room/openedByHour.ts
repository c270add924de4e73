import { hourMs } from '../ui/time.js';

/** A connection that was opened, of `GET /api/connections/since_yesterday/0`. */
export interface Opened {
  /** ISO 8601. */
  readonly timestamp: string;
  /** Seen by the service itself; absent: written to the store by a server. */
  readonly observed?: true;
}

/** How many connections were opened in an hour. */
export interface OpenedHour {
  /** When it began, in milliseconds since 1970. */
  readonly fromMs: number;
  readonly count: number;
}

/** The connections by hour, from the hour of the first moment to that of the last, also hours without any. */
export function openedByHour(
  opened: readonly Opened[],
  firstMs: number,
  lastMs: number,
): OpenedHour[] {
  const first = firstMs - (firstMs % hourMs);
  const counts = new Map<number, number>();
  for (const { timestamp } of opened) {
    const hour = Math.floor((Date.parse(timestamp) - first) / hourMs);
    counts.set(hour, (counts.get(hour) ?? 0) + 1);
  }
  const length = Math.floor((lastMs - first) / hourMs) + 1;
  return Array.from({ length }, (_, i) => ({
    fromMs: first + i * hourMs,
    count: counts.get(i) ?? 0,
  }));
}
