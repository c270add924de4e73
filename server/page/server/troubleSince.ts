import type { ActivityEvent } from '../../wire/activityEvent.js';
import type { ServerRow } from '../model/serverList.js';
import { isOnlyOverLimit } from '../servers/serverState.js';

/**
 * Since when a server is in its state, in ISO 8601, as its newest event says; undefined: the newest event is about
 * another state, or there is none. `events`: those of the server, oldest first.
 */
export function troubleSince(
  server: Pick<ServerRow, 'state' | 'overLimit'>,
  events: readonly ActivityEvent[],
): string | undefined {
  const kind = isOnlyOverLimit(server) ? 'server.over_limit' : `server.${server.state}`;
  const newest = events.findLast((event) => event.kind !== 'server.restarted');
  return newest?.kind === kind ? newest.at : undefined;
}
