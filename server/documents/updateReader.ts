import * as decoding from 'lib0/decoding';
import { BadUpdate } from './documentErrors.js';

/** What one struct of an update is, as far as counting and comparing need it. */
export type StructKind = 'content' | 'format' | 'deleted' | 'gap';

/** What is told of an update while it is read. */
export type UpdateVisitor = {
  /** A run of clocks; `root` when the struct itself names its root type. `gap`: the clocks are not in the update. */
  struct(client: number, clock: number, length: number, kind: StructKind, root?: string): void;
  /** An entry of the delete set. */
  deletion(client: number, clock: number, length: number): void;
};

// Deeper values can be read, but writing or showing them again would overflow the stack.
const maxValueDepth = 500;

const hasOrigin = 0b1000_0000;
const hasRightOrigin = 0b0100_0000;
const hasParentSub = 0b0010_0000;
const refBits = 0b0001_1111;

const refuse = (why: string): never => {
  throw new BadUpdate(`not a Yjs update: ${why}`);
};

/** Whether a parsed JSON value is nested deeper than `max`. */
export const isDeeperThan = (value: unknown, max: number): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return max === 0 || Object.values(value).some((inner) => isDeeperThan(inner, max - 1));
};

// A string's length in UTF-16 units, which is what Yjs counts; plain ASCII is not decoded.
const stringLength = (decoder: decoding.Decoder): number => {
  const start = decoder.pos;
  const bytes = decoding.readVarUint8Array(decoder);
  for (let i = 0; i < bytes.length; i += 1) {
    if ((bytes[i] ?? 0) < 0x80) continue;
    decoder.pos = start;
    // Throws when it is not UTF-8, as Yjs would.
    return decoding.readVarString(decoder).length;
  }
  return bytes.length;
};

const checkJson = (text: string): void => {
  if (isDeeperThan(JSON.parse(text), maxValueDepth)) refuse('a value is nested too deep');
};

const skipAny = (decoder: decoding.Decoder, depth = 0): void => {
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
};

const readValues = (decoder: decoding.Decoder, skip: () => void): number => {
  const count = decoding.readVarUint(decoder);
  for (let i = 0; i < count; i += 1) skip();
  return count;
};

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
const skipReference = (decoder: decoding.Decoder, client: number, clock: number): void => {
  const referred = decoding.readVarUint(decoder);
  if (decoding.readVarUint(decoder) >= clock && referred === client) {
    refuse('a struct refers to itself or to a later one');
  }
};

const readStruct = (
  decoder: decoding.Decoder,
  client: number,
  clock: number,
  visitor: UpdateVisitor,
): number => {
  const info = decoding.readUint8(decoder);
  const ref = info & refBits;
  if (ref === 0 || info === 10) {
    const length = decoding.readVarUint(decoder);
    visitor.struct(client, clock, length, ref === 0 ? 'deleted' : 'gap');
    return length;
  }
  if (info & hasOrigin) skipReference(decoder, client, clock);
  if (info & hasRightOrigin) skipReference(decoder, client, clock);
  let root: string | undefined;
  if (!(info & (hasOrigin | hasRightOrigin))) {
    if (decoding.readVarUint(decoder) === 1) root = decoding.readVarString(decoder);
    else skipReference(decoder, client, clock);
    if (info & hasParentSub) stringLength(decoder);
  }
  const read = contents[ref] ?? refuse('a struct has an unknown content');
  const length = read(decoder);
  const kind = ref === 1 ? 'deleted' : ref === 6 ? 'format' : 'content';
  visitor.struct(client, clock, length, kind, root);
  return length;
};

const readStructs = (decoder: decoding.Decoder, visitor: UpdateVisitor): void => {
  for (let clients = decoding.readVarUint(decoder); clients > 0; clients -= 1) {
    let structs = decoding.readVarUint(decoder);
    const client = decoding.readVarUint(decoder);
    let clock = decoding.readVarUint(decoder);
    for (; structs > 0; structs -= 1) {
      const length = readStruct(decoder, client, clock, visitor);
      // Yjs would apply an empty struct again at every repetition, and lose its place after a huge one.
      if (length === 0) refuse('a struct is empty');
      clock += length;
      if (!Number.isSafeInteger(clock)) refuse('a clock is out of range');
    }
  }
};

const readDeletions = (decoder: decoding.Decoder, visitor: UpdateVisitor): void => {
  for (let clients = decoding.readVarUint(decoder); clients > 0; clients -= 1) {
    const client = decoding.readVarUint(decoder);
    for (let ranges = decoding.readVarUint(decoder); ranges > 0; ranges -= 1) {
      const clock = decoding.readVarUint(decoder);
      const length = decoding.readVarUint(decoder);
      if (length === 0) refuse('a deletion is empty');
      if (!Number.isSafeInteger(clock + length)) refuse('a clock is out of range');
      visitor.deletion(client, clock, length);
    }
  }
};

/**
 * Reads a Yjs update (format v1, as `Y.encodeStateAsUpdate` writes it) to its last byte without building
 * anything of it. Throws `BadUpdate` for everything that Yjs would refuse, and for what it would take and
 * then stumble over: trailing bytes (every v2 update starts like an empty v1 one), empty structs, references
 * forward, values too deep to be written again.
 */
export const readUpdate = (update: Uint8Array, visitor: UpdateVisitor): void => {
  const decoder = decoding.createDecoder(update);
  try {
    readStructs(decoder, visitor);
    readDeletions(decoder, visitor);
  } catch (cause) {
    if (cause instanceof BadUpdate) throw cause;
    throw new BadUpdate(`not a Yjs update: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  if (decoding.hasContent(decoder)) refuse('bytes follow its end');
};
