import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { readStruct } from './updateReader.js';

/**
 * Removes structs and deletions of length 0 from an update that `readUpdate` accepts. Old versions of Yjs wrote them.
 * They carry nothing, but Yjs integrates them again each time and fails on them later.
 */
export function withoutEmpty(update: Uint8Array): Uint8Array {
  const decoder = decoding.createDecoder(update);
  const structs = nonEmptyStructs(decoder, update);
  const deletions = nonEmptyDeletions(decoder);
  return write(structs.length, ...structs, deletions.length, ...deletions);
}

function nonEmptyStructs(decoder: decoding.Decoder, update: Uint8Array): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let clients = decoding.readVarUint(decoder); clients > 0; clients -= 1) {
    const count = decoding.readVarUint(decoder);
    const client = decoding.readVarUint(decoder);
    const first = decoding.readVarUint(decoder);
    const kept: Uint8Array[] = [];
    for (let i = 0, clock = first; i < count; i += 1) {
      const start = decoder.pos;
      const length = readStruct(decoder, client, clock);
      if (length > 0) kept.push(update.subarray(start, decoder.pos));
      clock += length;
    }
    if (kept.length > 0) all.push(write(kept.length, client, first, ...kept));
  }
  return all;
}

function nonEmptyDeletions(decoder: decoding.Decoder): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let clients = decoding.readVarUint(decoder); clients > 0; clients -= 1) {
    const client = decoding.readVarUint(decoder);
    const kept: Uint8Array[] = [];
    for (let ranges = decoding.readVarUint(decoder); ranges > 0; ranges -= 1) {
      const clock = decoding.readVarUint(decoder);
      const length = decoding.readVarUint(decoder);
      if (length > 0) kept.push(write(clock, length));
    }
    if (kept.length > 0) all.push(write(client, kept.length, ...kept));
  }
  return all;
}

function write(...parts: readonly (number | Uint8Array)[]): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const part of parts) {
    if (typeof part === 'number') encoding.writeVarUint(encoder, part);
    else encoding.writeUint8Array(encoder, part);
  }
  return encoding.toUint8Array(encoder);
}
