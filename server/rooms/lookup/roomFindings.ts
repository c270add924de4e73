import type { Finding, RoomServer } from '../../wire/roomServers.js';
import type { AskedServer, FoundRoom } from './roomDirectory.js';

/** The servers of a room, and what is wrong with them. */
export function serversOf(found: FoundRoom): RoomServer[] {
  return found.asked.map((asked) => ({
    server: asked.server,
    stored: asked.isStored,
    connections: asked.connections,
    answer: asked.answer.kind === 'unreadable' ? 'failed' : asked.answer.kind,
    failure: 'cause' in asked.answer ? asked.answer.cause : null,
    finding: findingOf(asked, found),
    waitingFor: ('waiting' in asked.answer && asked.answer.waiting) || null,
  }));
}

function findingOf(asked: AskedServer, { item, isStorable }: FoundRoom): Finding | null {
  const { isStored, connections, answer } = asked;
  if (answer.kind === 'unreadable') return 'unreadable';
  if (answer.kind === 'failed') return isStored ? 'dead_address' : null;
  if (answer.kind === 'denies') return isStored || connections ? 'denied' : null;
  if (answer.kind !== 'holds') return null;
  if (answer.waiting) return 'waiting_for';
  // Only if the store answered and should have the room.
  if (!isStored && isStorable && item !== null) return 'not_stored';
  return connections === 0 ? 'no_connection' : null;
}
