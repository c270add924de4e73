import type { Bytes } from './documentProtocol.js';

/** The bytes in a buffer of their own, which can move to another thread. Copies only a part of a larger buffer. */
export function ownBytes(bytes: Uint8Array): Bytes {
  const isWhole = bytes.byteLength === bytes.buffer.byteLength;
  return bytes.buffer instanceof ArrayBuffer && isWhole ? (bytes as Bytes) : new Uint8Array(bytes);
}
