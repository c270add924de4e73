import * as decoding from 'lib0/decoding';
import { BadUpdate } from './documentErrors.js';
import { isDeeperThan } from './isDeeperThan.js';

/** Deeper values can be read, but writing or showing them again would overflow the stack. */
const maxValueDepth = 500;

/** Throws `BadUpdate`. `isUnsafe`: Yjs may accept the update and fail on it later. */
export function refuse(why: string, isUnsafe = false): never {
  throw new BadUpdate(`not a Yjs update: ${why}`, { isUnsafe });
}

/** Length of a string in UTF-16 units, as Yjs counts it. Plain ASCII is not decoded. */
function stringLength(decoder: decoding.Decoder): number {
  const start = decoder.pos;
  const length = decoding.readVarUint(decoder);
  const { arr, pos } = decoder;
  const end = pos + length;
  if (end > arr.length) refuse('it ends in the middle of a string');
  for (let i = pos; i < end; i += 1) {
    if ((arr[i] ?? 0) < 0x80) continue;
    decoder.pos = start;
    // Throws if it is not UTF-8, as Yjs would.
    return decoding.readVarString(decoder).length;
  }
  decoder.pos = end;
  return length;
}

function checkJson(text: string): void {
  if (isDeeperThan(JSON.parse(text), maxValueDepth)) refuse('a value is nested too deep');
}

/** Skips a value that lib0 wrote with `writeAny`. */
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

function skipMany(decoder: decoding.Decoder, skip: () => void): number {
  const count = decoding.readVarUint(decoder);
  for (let i = 0; i < count; i += 1) skip();
  return count;
}

/**
 * Skips the content of an item and returns its length in clocks, by the number of the content in the format. Throws
 * for content that Yjs would refuse.
 */
export const contentLengths: Readonly<Record<number, (decoder: decoding.Decoder) => number>> = {
  // Deleted
  1: (decoder) => decoding.readVarUint(decoder),
  // JSON
  2: (decoder) =>
    skipMany(decoder, () => {
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
  8: (decoder) => skipMany(decoder, () => skipAny(decoder)),
  // Sub-document
  9: (decoder) => {
    stringLength(decoder);
    const start = decoder.pos;
    skipAny(decoder);
    decoder.pos = start;
    const options: unknown = decoding.readAny(decoder);
    // Yjs spreads them into the options of a document, where a guid would replace the right one.
    if (typeof options !== 'object' || options === null || Object.hasOwn(options, 'guid')) {
      refuse('a sub-document has no proper options');
    }
    return 1;
  },
};
