import type { ActivityEvent } from '../../wire/activityEvent.js';

/** As many as the service keeps. */
export const maxEvents = 500;

/** The newest 500 events of both lists, oldest first. The first list if there is nothing new. */
export function mergedEvents(
  known: readonly ActivityEvent[],
  added: readonly ActivityEvent[],
): readonly ActivityEvent[] {
  const byId = new Map(known.map((event) => [event.id, event]));
  const before = byId.size;
  for (const event of added) if (!byId.has(event.id)) byId.set(event.id, event);
  if (byId.size === before) return known;
  return [...byId.values()].sort((a, b) => numberOf(a) - numberOf(b)).slice(-maxEvents);
}

/** The number in the id: it grows with time. */
const numberOf = ({ id }: ActivityEvent) => Number.parseInt(id, 10);
