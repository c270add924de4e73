import * as decoding from 'lib0/decoding';
import { UpdateDecoderV2 } from 'yjs';
import { causeOf } from '../causeOf.js';
import { contentLengths, refuse } from './contentLengths.js';
import { BadUpdate } from './documentErrors.js';

/** What a struct of an update is, as far as counting and comparing need it. */
export type StructKind = 'content' | 'format' | 'deleted' | 'gap';

/** The element that a struct refers to. */
export interface Reference {
  readonly client: number;
  readonly clock: number;
}

/** The fields before the content of a struct, and where the content begins in the update. */
export interface StructHead {
  /** Number of the content in the format. */
  readonly ref: number;
  readonly origin: Reference | undefined;
  readonly rightOrigin: Reference | undefined;
  readonly parent: Reference | undefined;
  /** The name of its root type, if the struct itself names it. */
  readonly root: string | undefined;
  readonly parentSub: string | undefined;
  readonly contentAt: number;
  /** Where the characters begin if the content is a string of plain ASCII; otherwise -1. */
  readonly asciiAt: number;
}

/** Callbacks for the parts of an update while it is read. */
export interface UpdateVisitor {
  /** A run of clocks. `gap`: the clocks are not in the update. Collected elements and gaps have no `head`. */
  struct(
    client: number,
    clock: number,
    length: number,
    kind: StructKind,
    head: StructHead | undefined,
  ): void;
  /** An entry of the delete set. */
  deletion(client: number, clock: number, length: number): void;
}

const hasOrigin = 0b1000_0000;
const hasRightOrigin = 0b0100_0000;
const hasParentSub = 0b0010_0000;
const refBits = 0b0001_1111;
const gapRef = 10;
const stringRef = 4;

/** Yjs looks up references to the same client without checking whether it has them. */
function readReference(decoder: decoding.Decoder, client: number, clock: number): Reference {
  const referred = { client: decoding.readVarUint(decoder), clock: decoding.readVarUint(decoder) };
  if (referred.clock >= clock && referred.client === client) {
    refuse('a struct refers to itself or to a later one', true);
  }
  return referred;
}

function bytesOfVarUint(number: number): number {
  let bytes = 1;
  for (let left = number; left > 127; left = Math.floor(left / 128)) bytes += 1;
  return bytes;
}

function readHead(
  decoder: decoding.Decoder,
  client: number,
  clock: number,
  info: number,
): StructHead & { asciiAt: number } {
  const origin = info & hasOrigin ? readReference(decoder, client, clock) : undefined;
  const rightOrigin = info & hasRightOrigin ? readReference(decoder, client, clock) : undefined;
  let parent: Reference | undefined;
  let root: string | undefined;
  let parentSub: string | undefined;
  if (origin === undefined && rightOrigin === undefined) {
    if (decoding.readVarUint(decoder) === 1) root = decoding.readVarString(decoder);
    else parent = readReference(decoder, client, clock);
    if (info & hasParentSub) parentSub = decoding.readVarString(decoder);
  }
  const ref = info & refBits;
  return { ref, origin, rightOrigin, parent, root, parentSub, contentAt: decoder.pos, asciiAt: -1 };
}

/** Reads one struct of a client that begins at `clock`; returns its length in clocks. */
export function readStruct(
  decoder: decoding.Decoder,
  client: number,
  clock: number,
  visitor?: UpdateVisitor,
): number {
  const info = decoding.readUint8(decoder);
  const ref = info & refBits;
  // Yjs handles the other bits of a gap inconsistently.
  if (ref === 0 || info === gapRef) {
    const length = decoding.readVarUint(decoder);
    const kind = ref === 0 ? 'deleted' : 'gap';
    if (length > 0) visitor?.struct(client, clock, length, kind, undefined);
    return length;
  }
  const head = readHead(decoder, client, clock, info);
  const readContent = contentLengths[ref] ?? refuse('a struct has an unknown content');
  const length = readContent(decoder);
  // As many bytes as clocks: every character is one byte.
  const asciiAt = decoder.pos - length;
  if (ref === stringRef && asciiAt - head.contentAt === bytesOfVarUint(length))
    head.asciiAt = asciiAt;
  const kind = ref === 1 ? 'deleted' : ref === 6 ? 'format' : 'content';
  if (length > 0) visitor?.struct(client, clock, length, kind, head);
  return length;
}

interface Count {
  readonly read: number;
  readonly empty: number;
}

function readStructs(decoder: decoding.Decoder, visitor: UpdateVisitor): Count {
  let read = 0;
  let empty = 0;
  for (let clients = decoding.readVarUint(decoder); clients > 0; clients -= 1) {
    let structs = decoding.readVarUint(decoder);
    const client = decoding.readVarUint(decoder);
    let clock = decoding.readVarUint(decoder);
    for (; structs > 0; structs -= 1) {
      const length = readStruct(decoder, client, clock, visitor);
      clock += length;
      read += 1;
      if (length === 0) empty += 1;
      // Yjs would lose precision and continue at a wrong clock.
      if (!Number.isSafeInteger(clock)) refuse('a clock is out of range');
    }
  }
  return { read, empty };
}

function readDeletions(decoder: decoding.Decoder, visitor: UpdateVisitor): Count {
  let read = 0;
  let empty = 0;
  for (let clients = decoding.readVarUint(decoder); clients > 0; clients -= 1) {
    const client = decoding.readVarUint(decoder);
    for (let ranges = decoding.readVarUint(decoder); ranges > 0; ranges -= 1) {
      const clock = decoding.readVarUint(decoder);
      const length = decoding.readVarUint(decoder);
      if (!Number.isSafeInteger(clock + length)) refuse('a clock is out of range');
      read += 1;
      if (length > 0) visitor.deletion(client, clock, length);
      else empty += 1;
    }
  }
  return { read, empty };
}

/**
 * Reads only the nine columns before the structs of format v2. The structs are run-length encoded, so that a hundred
 * bytes can stand for any number of them.
 */
function isOfFormatV2(update: Uint8Array): boolean {
  const decoder = decoding.createDecoder(update);
  try {
    new UpdateDecoderV2(decoder);
    return decoding.hasContent(decoder);
  } catch {
    return false;
  }
}

/**
 * Reads a Yjs update (format v1, as `Y.encodeStateAsUpdate` writes it) without building a document. Throws
 * `BadUpdate` for everything that Yjs would refuse and for some updates that Yjs accepts; `readByYjs` decides about
 * those. Like Yjs, it ignores bytes after the end. The exception is format v2, which begins like an empty v1 update.
 * Structs and deletions of length 0 are skipped, and `hasEmpty` reports them: see `withoutEmpty`.
 */
export function readUpdate(update: Uint8Array, visitor: UpdateVisitor): { hasEmpty: boolean } {
  const decoder = decoding.createDecoder(update);
  let structs: Count;
  let deletions: Count;
  try {
    structs = readStructs(decoder, visitor);
    deletions = readDeletions(decoder, visitor);
  } catch (cause) {
    if (cause instanceof BadUpdate) throw cause;
    throw new BadUpdate(`not a Yjs update: ${causeOf(cause)}`, {
      cause,
    });
  }
  if (structs.read === 0 && decoding.hasContent(decoder)) {
    if (deletions.read === 0) refuse('bytes follow an empty one');
    if (isOfFormatV2(update)) refuse('it is of format v2');
  }
  return { hasEmpty: structs.empty + deletions.empty > 0 };
}
