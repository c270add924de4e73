import type { Connections } from '../../machines/ports.js';
import { parseSnapshot } from '../support/parseSnapshot.js';

/** A snapshot as the adapter reads it; every other one among entries that are no rooms. */
export function snapshotOf(json: Record<string, number>[] = []): Connections {
  const others = json.length % 2 === 0 ? [{}, null, { 'stored now': 0 }] : [];
  return parseSnapshot(Buffer.from(JSON.stringify([...json, ...others])));
}
