import type { Connections } from '../../machines/ports.js';
import { readPlainSnapshot } from './plainSnapshots.js';

/** More than any process can have; sums beyond 2^53 would round, and change what others are shown with. */
const maxCount = 1e9;

/**
 * Reads a pub-sub server's connections from its answer, `[{"room":1},{"b":2}]`. Rooms that repeat are
 * summed; entries that are no room with a count (`{}`, null) are passed over, so that none of them
 * loses the rest. Throws when the answer is not a JSON array.
 */
export function parseSnapshot(body: Buffer): Connections {
  const connections: Connections = new Map();
  const add = (room: string, count: unknown) => {
    if (!isCount(count)) return;
    connections.set(room, Math.min(maxCount, (connections.get(room) ?? 0) + count));
  };
  if (readPlainSnapshot(body, add)) return connections;
  connections.clear();
  const entries: unknown = JSON.parse(body.toString());
  if (!Array.isArray(entries)) throw new Error('not a JSON array');
  for (const entry of entries) {
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) continue;
    for (const room of Object.keys(entry)) add(room, entry[room]);
  }
  return connections;
}

const isCount = (count: unknown): count is number =>
  Number.isInteger(count) && (count as number) > 0 && (count as number) <= maxCount;
