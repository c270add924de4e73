import type { RoomName } from '../../machines/ports.js';
import type { NotedEvent } from '../wire/activityEvent.js';

/** Makes the event of a room whose servers hold different documents, or no longer do. */
export function divergenceEvent(room: RoomName, differing: readonly string[]): NotedEvent {
  const subject = { type: 'room', name: room } as const;
  if (differing.length === 0) {
    const message = 'The servers of this room hold the same document again.';
    return { kind: 'room.agreed', level: 'info', subject, message, cause: null };
  }
  const message = 'The servers of this room hold different documents.';
  const cause = `${differing.join(', ')} lacks something that others have, or has something else`;
  return { kind: 'room.diverged', level: 'warning', subject, message, cause };
}
