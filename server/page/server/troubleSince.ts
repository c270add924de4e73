import type { ActivityEvent } from '../../wire/activityEvent.js';
import type { ServerRow } from '../model/serverList.js';

/**
 * Since when a server is in its state, in ISO 8601, as its newest event says; undefined: the newest event is about
 * another state, or there is none. `events`: those of the server, oldest first.
 */
export function troubleSince(
  { state, overLimit }: Pick<ServerRow, 'state' | 'overLimit'>,
  events: readonly ActivityEvent[],
): string | undefined {
  const kind = overLimit && state === 'live' ? 'server.over_limit' : `server.${state}`;
  const newest = events.findLast((event) => event.kind !== 'server.restarted');
  return newest?.kind === kind ? newest.at : undefined;
}
