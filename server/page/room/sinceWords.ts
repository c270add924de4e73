import { dayTime } from '../ui/time.js';

/** Editors announce themselves every 15 s: who was there before the service looked is heard of by then. */
const announceMs = 16_000;

/**
 * Since when a person is in the room: `since 14:03:59`. If the service heard of them as soon as it began to look,
 * they may have been there before: `since 14:03:59 or earlier`. `skewMs`: what the clock of the service is ahead.
 */
export function sinceWords(since: string, lookedSince: string | null, skewMs: number): string {
  const sinceMs = Date.parse(since);
  const isEarlier = lookedSince !== null && sinceMs - Date.parse(lookedSince) < announceMs;
  return `since ${dayTime(sinceMs - skewMs)}${isEarlier ? ' or earlier' : ''}`;
}
