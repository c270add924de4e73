import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { UpdateDecoderV2 } from 'yjs';
import { BadUpdate } from './documentErrors.js';

/** What one struct of an update is, as far as counting and comparing need it. */
export type StructKind = 'content' | 'format' | 'deleted' | 'gap';

/** The element that a struct refers to; undefined: it refers to none. */
export interface Reference {
  readonly client: number;
  readonly clock: number;
}

/** What stands before a struct's content, and where the content is in the update. */
export interface StructHead {
  readonly ref: number;
  readonly origin: Reference | undefined;
  readonly rightOrigin: Reference | undefined;
  readonly parent: Reference | undefined;
  /** The name of its root type, when the struct itself gives it. */
  readonly root: string | undefined;
  readonly parentSub: string | undefined;
  readonly contentAt: number;
  /** Where a string of plain ASCII begins that is all of the content; -1: it is something else. */
  readonly asciiAt: number;
}

/** What is told of an update while it is read. */
export interface UpdateVisitor {
  /**
   * A run of clocks. `gap`: the clocks are not in the update. `head`: of an item; collected
   * elements and gaps have none.
   */
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

// Deeper values can be read, but writing or showing them again would overflow the stack.
const maxValueDepth = 500;

const hasOrigin = 0b1000_0000;
const hasRightOrigin = 0b0100_0000;
const hasParentSub = 0b0010_0000;
const refBits = 0b0001_1111;
const gapRef = 10;
const stringRef = 4;

function refuse(why: string, isUnsafe = false): never {
  throw new BadUpdate(`not a Yjs update: ${why}`, { isUnsafe });
}

/** Whether a parsed JSON value is nested deeper than `max`. */
export function isDeeperThan(value: unknown, max: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return max === 0 || Object.values(value).some((inner) => isDeeperThan(inner, max - 1));
}

// A string's length in UTF-16 units, which is what Yjs counts; plain ASCII is not decoded.
function stringLength(decoder: decoding.Decoder): number {
  const start = decoder.pos;
  const length = decoding.readVarUint(decoder);
  const { arr, pos } = decoder;
  const end = pos + length;
  if (end > arr.length) refuse('it ends in the middle of a string');
  for (let i = pos; i < end; i += 1) {
    if ((arr[i] ?? 0) < 0x80) continue;
    decoder.pos = start;
    // Throws when it is not UTF-8, as Yjs would.
    return decoding.readVarString(decoder).length;
  }
  decoder.pos = end;
  return length;
}

function checkJson(text: string): void {
  if (isDeeperThan(JSON.parse(text), maxValueDepth)) refuse('a value is nested too deep');
}

function skipAny(decoder: decoding.Decoder, depth = 0): void {
  if (depth > maxValueDepth) refuse('a value is nested too deep');
  const type = decoding.readUint8(decoder);
  if (type === 119) stringLength(decoder);
  else if (type === 125) decoding.readVarInt(decoder);
  else if (type === 124) decoding.readUint8Array(decoder, 4);
  else if (type === 123 || type === 122) decoding.readUint8Array(decoder, 8);
  else if (type === 116) decoding.readVarUint8Array(decoder);
  else if (type === 118 || type === 117) {
    const size = decoding.readVarUint(decoder);
    for (let i = 0; i < size; i += 1) {
      if (type === 118) stringLength(decoder);
      skipAny(decoder, depth + 1);
    }
  } else if (!(type === 127 || type === 126 || type === 121 || type === 120)) {
    refuse('a value has an unknown type');
  }
}

function readValues(decoder: decoding.Decoder, skip: () => void): number {
  const count = decoding.readVarUint(decoder);
  for (let i = 0; i < count; i += 1) skip();
  return count;
}

// Readers of an item's content by its number in the format; each answers the item's length in clocks.
const contents: Readonly<Record<number, (decoder: decoding.Decoder) => number>> = {
  // Deleted
  1: (decoder) => decoding.readVarUint(decoder),
  // JSON
  2: (decoder) =>
    readValues(decoder, () => {
      const text = decoding.readVarString(decoder);
      if (text !== 'undefined') checkJson(text);
    }),
  // Binary
  3: (decoder) => {
    decoding.readVarUint8Array(decoder);
    return 1;
  },
  // String
  4: stringLength,
  // Embed
  5: (decoder) => {
    checkJson(decoding.readVarString(decoder));
    return 1;
  },
  // Format
  6: (decoder) => {
    stringLength(decoder);
    checkJson(decoding.readVarString(decoder));
    return 1;
  },
  // Type: array, map, text, XML element, XML fragment, XML hook, XML text
  7: (decoder) => {
    const type = decoding.readVarUint(decoder);
    if (type > 6) refuse('a shared type has an unknown kind');
    if (type === 3 || type === 5) stringLength(decoder);
    return 1;
  },
  // Any
  8: (decoder) => readValues(decoder, () => skipAny(decoder)),
  // Sub-document
  9: (decoder) => {
    stringLength(decoder);
    const start = decoder.pos;
    skipAny(decoder);
    decoder.pos = start;
    const options: unknown = decoding.readAny(decoder);
    // Yjs spreads them into a document's options, where a guid would take the place of the right one.
    if (typeof options !== 'object' || options === null || Object.hasOwn(options, 'guid')) {
      refuse('a sub-document has no proper options');
    }
    return 1;
  },
};

// Yjs looks up references to the same client without asking whether it has them.
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

function readStruct(
  decoder: decoding.Decoder,
  client: number,
  clock: number,
  visitor: UpdateVisitor,
): number {
  const info = decoding.readUint8(decoder);
  const ref = info & refBits;
  // Yjs is of two minds about further bits of a gap.
  if (ref === 0 || info === gapRef) {
    const length = decoding.readVarUint(decoder);
    const kind = ref === 0 ? 'deleted' : 'gap';
    if (length > 0) visitor.struct(client, clock, length, kind, undefined);
    return length;
  }
  const head = readHead(decoder, client, clock, info);
  const read = contents[ref] ?? refuse('a struct has an unknown content');
  const length = read(decoder);
  // As many bytes as clocks: each is a character.
  const asciiAt = decoder.pos - length;
  if (ref === stringRef && asciiAt - head.contentAt === bytesOfVarUint(length))
    head.asciiAt = asciiAt;
  const kind = ref === 1 ? 'deleted' : ref === 6 ? 'format' : 'content';
  if (length > 0) visitor.struct(client, clock, length, kind, head);
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
      // Yjs would lose its place.
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

// Looks at the nine columns that stand before the structs of v2, and not at the structs: the columns are run
// lengths, by which a hundred bytes can stand for any number of structs.
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
 * Reads a Yjs update (format v1, as `Y.encodeStateAsUpdate` writes it) without building anything of it. Throws
 * `BadUpdate` for everything that Yjs would refuse, and for some of what it would take: see `readByYjs`, which
 * decides about that. Like Yjs it passes over bytes that follow the end, unless the update is one of format v2:
 * those start like an empty one of v1. What has no length is passed over, and `hasEmpty` says that there is some:
 * see `withoutEmpty`.
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
    throw new BadUpdate(`not a Yjs update: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  if (structs.read === 0 && decoding.hasContent(decoder)) {
    if (deletions.read === 0) refuse('bytes follow an empty one');
    if (isOfFormatV2(update)) refuse('it is of format v2');
  }
  return { hasEmpty: structs.empty + deletions.empty > 0 };
}

const nobody: UpdateVisitor = { struct: () => undefined, deletion: () => undefined };

function write(...parts: readonly (number | Uint8Array)[]): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const part of parts) {
    if (typeof part === 'number') encoding.writeVarUint(encoder, part);
    else encoding.writeUint8Array(encoder, part);
  }
  return encoding.toUint8Array(encoder);
}

/**
 * An update that `readUpdate` takes, without its structs and deletions of no length. Old versions of Yjs wrote
 * such. Nothing is in them, but Yjs takes them in again each time that they come, and trips over them later.
 */
export function withoutEmpty(update: Uint8Array): Uint8Array {
  const decoder = decoding.createDecoder(update);
  const structs: Uint8Array[] = [];
  for (let clients = decoding.readVarUint(decoder); clients > 0; clients -= 1) {
    const count = decoding.readVarUint(decoder);
    const client = decoding.readVarUint(decoder);
    const first = decoding.readVarUint(decoder);
    const kept: Uint8Array[] = [];
    for (let i = 0, clock = first; i < count; i += 1) {
      const start = decoder.pos;
      const length = readStruct(decoder, client, clock, nobody);
      if (length > 0) kept.push(update.subarray(start, decoder.pos));
      clock += length;
    }
    if (kept.length > 0) structs.push(write(kept.length, client, first, ...kept));
  }
  const deletions: Uint8Array[] = [];
  for (let clients = decoding.readVarUint(decoder); clients > 0; clients -= 1) {
    const client = decoding.readVarUint(decoder);
    const kept: Uint8Array[] = [];
    for (let ranges = decoding.readVarUint(decoder); ranges > 0; ranges -= 1) {
      const clock = decoding.readVarUint(decoder);
      const length = decoding.readVarUint(decoder);
      if (length > 0) kept.push(write(clock, length));
    }
    if (kept.length > 0) deletions.push(write(client, kept.length, ...kept));
  }
  return write(structs.length, ...structs, deletions.length, ...deletions);
}
