import * as decoding from 'lib0/decoding';
import { isDeeperThan } from './isDeeperThan.js';

/** The entry of one client in an awareness update. `json`: its state on one line, or `null` when it leaves. */
export interface AwarenessEntry {
  readonly client: number;
  readonly clock: number;
  readonly json: string;
  readonly isTooDeep: boolean;
}

/** Most clients in one update; no editor or server sends more. */
const maxClients = 11_000;
/** Deeper states can be read but not shown. */
const maxDepth = 100;

const lineEnd = /[\n\r]/;

/** Reads an awareness update of y-protocols to its last byte. Throws if it is not one. */
export function readAwarenessUpdate(update: Uint8Array): AwarenessEntry[] {
  const decoder = decoding.createDecoder(update);
  const entries: AwarenessEntry[] = [];
  const count = decoding.readVarUint(decoder);
  if (count > maxClients) throw new Error('too many clients');
  for (let left = count; left > 0; left -= 1) {
    const client = decoding.readVarUint(decoder);
    const clock = decoding.readVarUint(decoder);
    const text = decoding.readVarString(decoder);
    if (!Number.isSafeInteger(client) || !Number.isSafeInteger(clock))
      throw new Error('an id or a clock is out of range');
    const state: unknown = JSON.parse(text);
    const isTooDeep = isDeeperThan(state, maxDepth);
    // JSON allows line ends between tokens; in an event stream one would end the data.
    const json = lineEnd.test(text) && !isTooDeep ? JSON.stringify(state) : text.trim();
    entries.push({ client, clock, json, isTooDeep });
  }
  if (decoding.hasContent(decoder)) throw new Error('bytes follow the end');
  return entries;
}

/** The client of an update that has exactly one; its state is not read. Undefined: several clients, none, or no update. */
export function soleClientOf(update: Uint8Array): { client: number; clock: number } | undefined {
  try {
    const decoder = decoding.createDecoder(update);
    if (decoding.readVarUint(decoder) !== 1) return undefined;
    const client = decoding.readVarUint(decoder);
    const clock = decoding.readVarUint(decoder);
    const length = decoding.readVarUint(decoder);
    const isWhole = decoder.pos + length === update.byteLength;
    return isWhole && Number.isSafeInteger(client) ? { client, clock } : undefined;
  } catch {
    return undefined;
  }
}
