/** Frames with a document or an update in them: written once and shared, for they may be of many MB. */

import { openJsonField } from '../../appendJsonField.js';

/** Bytes of an update: to be written in base64, or in base64 already, as ASCII. */
export type UpdateBytes = { raw: Uint8Array } | { base64: Uint8Array };

/** A part of a frame. */
type Part = string | UpdateBytes;

// A multiple of 3, so that the pieces fit together.
const pieceBytes = 3 * 1024 * 1024;

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, length);

/** The parts of a message whose data is `json`, an object, with the update in it as `update`. */
export function updateParts(event: string, json: string, update: UpdateBytes): Part[] {
  return [`event: ${event}\ndata: ${openJsonField(json, 'update')}"`, update, '"}\n\n'];
}

/** The parts as they go out; text in base64 is passed on without a copy. */
export function frameOf(parts: readonly Part[]): Buffer[] {
  return parts.map((part) => {
    if (typeof part === 'string') return Buffer.from(part);
    return 'base64' in part ? asBuffer(part.base64) : toBase64(asBuffer(part.raw));
  });
}

function toBase64(bytes: Buffer): Buffer {
  const text = Buffer.allocUnsafe(Math.ceil(bytes.length / 3) * 4);
  let end = 0;
  for (let i = 0; i < bytes.length; i += pieceBytes)
    end += text.write(bytes.toString('base64', i, i + pieceBytes), end, 'latin1');
  return text;
}
