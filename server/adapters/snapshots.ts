import type { Connections } from '../../machines/ports.js';

/**
 * Reads a pub-sub server's connections from its answer, `[{"room":1},{"b":2}]`. Rooms that repeat are
 * summed; entries that are no room with a count (`{}`, null) are passed over, so that none of them
 * loses the rest. Throws when the answer is not a JSON array.
 */
export function parseSnapshot(body: string): Connections {
  const entries: unknown = JSON.parse(body);
  if (!Array.isArray(entries)) throw new Error('not a JSON array');
  const connections: Connections = new Map();
  for (const entry of entries) {
    if (typeof entry !== 'object' || entry === null) continue;
    for (const room of Object.keys(entry)) {
      const count: unknown = entry[room];
      if (!Number.isSafeInteger(count) || (count as number) <= 0) continue;
      connections.set(room, (connections.get(room) ?? 0) + (count as number));
    }
  }
  return connections;
}
