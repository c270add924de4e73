import { randomBytes } from 'node:crypto';

/** The opcodes of RFC 6455, section 5.2. */
export const opcodes = { binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame as a client sends it: complete and masked. */
export function encodeFrame(opcode: number, payload: Uint8Array): Buffer {
  const mask = randomBytes(4);
  const masked = Buffer.from(payload);
  for (let i = 0; i < masked.length; i += 1) masked[i] = byteAt(masked, i) ^ byteAt(mask, i % 4);
  return Buffer.concat([headOf(opcode, masked.length), mask, masked]);
}

function headOf(opcode: number, length: number): Buffer {
  const masked = 0x80;
  if (length < 126) return Buffer.from([0x80 | opcode, masked | length]);
  if (length < 65_536) {
    const head = Buffer.from([0x80 | opcode, masked | 126, 0, 0]);
    head.writeUInt16BE(length, 2);
    return head;
  }
  const head = Buffer.alloc(10);
  head[0] = 0x80 | opcode;
  head[1] = masked | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** A frame of the server. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Splits what a server sends into frames. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are complete with this chunk. */
  read(chunk: Buffer): Frame[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    const rest = this.#rest;
    if (rest.length < 2) return undefined;
    const short = byteAt(rest, 1) & 0x7f;
    const headLength = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (rest.length < headLength) return undefined;
    const length =
      short === 127
        ? Number(rest.readBigUInt64BE(2))
        : short === 126
          ? rest.readUInt16BE(2)
          : short;
    const end = headLength + length;
    if (rest.length < end) return undefined;
    this.#rest = rest.subarray(end);
    return { opcode: byteAt(rest, 0) & 0x0f, payload: rest.subarray(headLength, end) };
  }
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
