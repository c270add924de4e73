import * as decoding from 'lib0/decoding';
import { isDeeperThan } from './updateReader.js';

/** One client's announcement: `json` is its state on one line, or `null` when it leaves. */
export interface Announced {
  readonly client: number;
  readonly clock: number;
  readonly json: string;
  readonly isTooDeep: boolean;
}

/** Announcements in one update; more is no update that an editor or a server sends. */
const maxAnnounced = 11_000;
/** Deeper states can be read, but not be shown. */
const maxDepth = 100;

const lineEnd = /[\n\r]/;

/** Reads an awareness update of y-protocols to its last byte. Throws when it is none. */
export function readAwarenessUpdate(update: Uint8Array): Announced[] {
  const decoder = decoding.createDecoder(update);
  const announced: Announced[] = [];
  const count = decoding.readVarUint(decoder);
  if (count > maxAnnounced) throw new Error('too many clients');
  for (let left = count; left > 0; left -= 1) {
    const client = decoding.readVarUint(decoder);
    const clock = decoding.readVarUint(decoder);
    const text = decoding.readVarString(decoder);
    if (!Number.isSafeInteger(client) || !Number.isSafeInteger(clock)) throw new Error('range');
    const state: unknown = JSON.parse(text);
    const isTooDeep = isDeeperThan(state, maxDepth);
    // A line end, which JSON allows between its tokens, would end the data of a frame.
    const json = lineEnd.test(text) && !isTooDeep ? JSON.stringify(state) : text.trim();
    announced.push({ client, clock, json, isTooDeep });
  }
  if (decoding.hasContent(decoder)) throw new Error('bytes follow the end');
  return announced;
}

/** Whose update it is, when it is one client's alone; its state is not read. Undefined: more, none, or no update. */
export function announcerOf(update: Uint8Array): { client: number; clock: number } | undefined {
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
