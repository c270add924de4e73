import type { Connections } from '../../machines/ports.js';
import { parseSnapshot } from '../../server/adapters/snapshots.js';

/** A snapshot as the adapter reads it, among entries that are no rooms. */
export function snapshotOf(json: Record<string, number>[] | undefined): Connections {
  return parseSnapshot(JSON.stringify([...(json ?? []), {}, null, { 'stored now': 0 }]));
}
