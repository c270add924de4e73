/** Frames of an event stream (HTML Standard, section 9.2), encoded once for all viewers. */

/** One or more whole messages. In parts if joining them would copy many MB. */
export type Frame = Buffer | readonly Buffer[];

/** One message. `event` and `id` must not contain line ends. */
export function messageFrame(data: string, { event, id }: { event?: string; id?: string } = {}) {
  const fields = [event && `event: ${event}`, id && `id: ${id}`, `data: ${data}`];
  return Buffer.from(`${fields.filter(Boolean).join('\n')}\n\n`);
}

/** A comment that keeps a connection alive and reveals a dead one. */
export const heartbeatFrame = Buffer.from(':\n\n');

/** Tells an EventSource when to reconnect. Without it, browsers wait about three seconds. */
export function retryFrame(ms: number): Buffer {
  return Buffer.from(`retry: ${ms}\n\n`);
}

/** Bytes of a frame. */
export function lengthOf(frame: Frame): number {
  if (Buffer.isBuffer(frame)) return frame.length;
  return frame.reduce((sum, part) => sum + part.length, 0);
}

/** The same bytes as a buffer, without a copy. */
export function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
