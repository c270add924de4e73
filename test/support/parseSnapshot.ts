import type { Connections } from '../../machines/ports.js';
import { type SnapshotLimits, SnapshotReader } from '../../server/pubsub/snapshotReader.js';

const unlimited: SnapshotLimits = { maxRooms: Infinity, maxNamesLength: Infinity };

/** Reads a whole snapshot at once: for small ones. Throws when it is none. */
export function parseSnapshot(body: Buffer, limits = unlimited): Connections {
  return new SnapshotReader(body, limits).readUntil(Infinity) ?? new Map();
}
