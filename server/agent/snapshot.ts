import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AgentDocuments } from './agentTypes.js';

/** The connections of a server at one instant. */
export interface Snapshot {
  readonly rooms: readonly string[];
  readonly connections: readonly number[];
}

/** How many rooms are encoded in one turn of the event loop. */
const roomsPerTurn = 1_000;

/** Copies the connections, in one synchronous step. Throws what the server throws. */
export function takeSnapshot(documents: AgentDocuments): Snapshot {
  const rooms: string[] = [];
  const connections: number[] = [];
  for (const [room, count] of documents.connections()) {
    if (typeof room !== 'string' || !Number.isSafeInteger(count) || count < 0) continue;
    rooms.push(room);
    connections.push(count);
  }
  return { rooms, connections };
}

/** Sends a snapshot as JSON, in slices. Resolves when it is sent or the client is gone. */
export async function sendSnapshot(response: ServerResponse, snapshot: Snapshot): Promise<void> {
  const { rooms } = snapshot;
  response.write('[');
  for (let start = 0; start < rooms.length; start += roomsPerTurn) {
    if (response.destroyed) return;
    const isTaken = response.write(slice(snapshot, start, start + roomsPerTurn));
    if (isTaken) await nextTurn(undefined, { ref: false });
    else await drained(response);
  }
  response.end(']');
}

/** Not objects with the room as key: `__proto__` is a room too. */
function slice({ rooms, connections }: Snapshot, start: number, end: number): string {
  const entries: string[] = [];
  for (let index = start; index < Math.min(end, rooms.length); index += 1) {
    entries.push(`{${JSON.stringify(rooms[index])}:${connections[index]}}`);
  }
  return `${start > 0 ? ',' : ''}${entries.join(',')}`;
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
