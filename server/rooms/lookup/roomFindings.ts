import type { Finding, RoomServer } from '../../wire/roomServers.js';
import type { Asked, FoundRoom } from './roomDirectory.js';

/** The servers of a room that was found, and what is odd about them. */
export function serversOf(found: FoundRoom): RoomServer[] {
  return found.asked.map((asked) => ({
    server: asked.server,
    stored: asked.isStored,
    connections: asked.connections,
    answer: asked.said.kind === 'unreadable' ? 'failed' : asked.said.kind,
    failure: 'cause' in asked.said ? asked.said.cause : null,
    finding: findingOf(asked, found),
    waitingFor: ('waiting' in asked.said && asked.said.waiting) || null,
  }));
}

function findingOf(asked: Asked, { item, isStorable }: FoundRoom): Finding | null {
  const { isStored, connections, said } = asked;
  if (said.kind === 'unreadable') return 'unreadable';
  if (said.kind === 'failed') return isStored ? 'dead_address' : null;
  if (said.kind === 'denies') return isStored || connections ? 'denied' : null;
  if (said.kind !== 'holds') return null;
  if (said.waiting) return 'waiting_for';
  // A store that says nothing of the room, or that cannot, contradicts nobody.
  if (!isStored && isStorable && item !== null) return 'not_stored';
  return connections === 0 ? 'no_connection' : null;
}
