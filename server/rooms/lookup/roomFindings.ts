import type { Lacking } from '../../documents/divergence.js';
import type { Asked, FoundRoom } from './roomDirectory.js';

/** What is not as it should be with a server's part in a room. */
export type Finding =
  /** The server sent something for the room that is no Yjs document. */
  | 'unreadable'
  /** The server has updates that it cannot apply, because it waits for others. */
  | 'waiting_for'
  /** The store names an address at which no server answers. */
  | 'dead_address'
  /** The store or the live counts name the server, which says that it does not hold the room. */
  | 'denied'
  /** The server holds the room, and the store does not say so. */
  | 'not_stored'
  /** The server holds the room in memory, and nobody is connected to it there. */
  | 'no_connection';

/** A server and its part in a room, as answers show it. */
export interface RoomServer {
  server: string;
  /** Whether the store names it. */
  stored: boolean;
  /** By the live counts; null: unknown. */
  connections: number | null;
  /** What it said: it holds the room, denies it, failed to answer, or could not be asked. */
  answer: 'holds' | 'denies' | 'failed' | 'unasked';
  /** Why it failed; null: it did not. */
  failure: string | null;
  /** Null: nothing contradicts anything. */
  finding: Finding | null;
  /** What it waits for to apply updates that it has; null: nothing, or unknown. */
  waitingFor: Lacking | null;
}

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
