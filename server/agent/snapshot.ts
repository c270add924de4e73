import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AgentDocuments } from './agentTypes.js';

/** The connections of a server at one instant, in parts: one long array would be copied as it grows. */
export interface Snapshot {
  readonly parts: readonly SnapshotPart[];
  readonly inMemory: number;
  /** Documents without connections. */
  readonly idle: number;
}

interface SnapshotPart {
  readonly rooms: string[];
  readonly connections: number[];
}

/** How many rooms are encoded in one turn of the event loop. */
const roomsPerPart = 1_000;

/**
 * Copies the connections, in one synchronous step. Documents without connections are only counted, because
 * they may be many. Throws what the server throws.
 */
export function takeSnapshot(documents: AgentDocuments): Snapshot {
  const parts: SnapshotPart[] = [];
  let part: SnapshotPart | undefined;
  let [inMemory, idle] = [0, 0];
  for (const pair of documents.connections()) {
    const room = pair[0];
    const count = pair[1];
    if (typeof room !== 'string' || !Number.isSafeInteger(count) || count < 0) continue;
    inMemory += 1;
    if (count === 0) {
      idle += 1;
      continue;
    }
    if (!part || part.rooms.length === roomsPerPart) {
      part = { rooms: [], connections: [] };
      parts.push(part);
    }
    part.rooms.push(room);
    part.connections.push(count);
  }
  return { parts, inMemory, idle };
}

/** Sends a snapshot as JSON, part by part. Resolves when it is sent or the client is gone. */
export async function sendSnapshot(response: ServerResponse, { parts }: Snapshot): Promise<void> {
  response.write('[');
  for (const [index, part] of parts.entries()) {
    if (response.destroyed) return;
    const isTaken = response.write(`${index > 0 ? ',' : ''}${encoded(part)}`);
    if (!isTaken) await drained(response);
    // What the system takes at once is drained in the same turn.
    await nextTurn(undefined, { ref: false });
  }
  response.end(']');
}

/** Not objects with the room as key: `__proto__` is a room too. */
function encoded({ rooms, connections }: SnapshotPart): string {
  return rooms.map((room, index) => `{${JSON.stringify(room)}:${connections[index]}}`).join(',');
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
