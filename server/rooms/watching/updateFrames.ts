/** Frames with a document or an update. They are written once and shared, because they may have many MB. */

import { openJsonField } from '../../appendJsonField.js';
import { asBuffer } from '../../sse/frames.js';

/** Bytes of an update; `base64`: already encoded, as ASCII. */
export type UpdateBytes = { raw: Uint8Array } | { base64: Uint8Array };

/** A part of a frame. */
type Part = string | UpdateBytes;

/** A multiple of 3, so that the encoded pieces fit together. */
const pieceBytes = 3 * 1024 * 1024;

/** The parts of an event with the JSON object `json` as data, and the update in its field `update`. */
export function updateParts(event: string, json: string, update: UpdateBytes): Part[] {
  return [`event: ${event}\ndata: ${openJsonField(json, 'update')}"`, update, '"}\n\n'];
}

/** Encodes the parts; base64 text is not copied. */
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
