/** Frames with a document or an update in them: written once and shared, for they may be of many MB. */

/** A part of a frame: text, or bytes that are written in base64. */
type Part = string | { base64: Uint8Array };

// A multiple of 3, so that the pieces fit together.
const pieceBytes = 3 * 1024 * 1024;

const asBuffer = ({ buffer, byteOffset, length }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, length);

const lengthOf = (part: Part) =>
  typeof part === 'string' ? Buffer.byteLength(part) : Math.ceil(part.base64.length / 3) * 4;

/** The parts of a message whose data is `json`, an object, with the update in it as `update`. */
export function updateParts(event: string, json: string, update: Uint8Array): Part[] {
  const head = json === '{}' ? '{' : `${json.slice(0, -1)},`;
  return [`event: ${event}\ndata: ${head}"update":"`, { base64: update }, '"}\n\n'];
}

/** One buffer of all parts. */
export function joinParts(parts: readonly Part[]): Buffer {
  const joined = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + lengthOf(part), 0));
  let end = 0;
  for (const part of parts) {
    if (typeof part === 'string') end += joined.write(part, end);
    else end = writeBase64(joined, end, asBuffer(part.base64));
  }
  return joined;
}

function writeBase64(target: Buffer, from: number, bytes: Buffer): number {
  let end = from;
  for (let i = 0; i < bytes.length; i += pieceBytes)
    end += target.write(bytes.toString('base64', i, i + pieceBytes), end, 'latin1');
  return end;
}
