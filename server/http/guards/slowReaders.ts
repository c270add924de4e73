import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How long an answer may take to be read, in milliseconds. */
export interface ReadTimeouts {
  /** Without any progress. */
  stalled: number;
  /** In all. */
  whole: number;
}

const checksPerStall = 4;

/**
 * Closes the connection of an answer that its client does not read in time, whatever the client goes on
 * sending. Event streams have no end, and look after their viewers themselves (`server/sse/viewer.ts`).
 */
export function cuttingSlowReaders(
  listener: RequestListener,
  { stalled: stalledMs, whole: wholeMs }: ReadTimeouts,
): RequestListener {
  return (req, res) => {
    const { socket } = req;
    const beganAtMs = performance.now();
    let progress = progressOf(socket);
    let progressAtMs = beganAtMs;
    const check = () => {
      if (isEventStream(res)) return clearInterval(timer);
      const nowMs = performance.now();
      const now = progressOf(socket);
      if (now !== progress) [progress, progressAtMs] = [now, nowMs];
      if (nowMs - progressAtMs > stalledMs || nowMs - beganAtMs > wholeMs) socket.destroy();
    };
    const timer = setInterval(check, Math.min(stalledMs, wholeMs) / checksPerStall);
    res.once('close', () => clearInterval(timer));
    listener(req, res);
  };
}

/** Changes with every byte that the kernel takes: Node's `net` notices progress by the same two. */
function progressOf(socket: Socket): string {
  // Not documented; without it progress is noticed when a whole chunk was taken.
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null };
  return `${socket.bytesWritten - socket.writableLength}/${handle?.writeQueueSize}`;
}

const isEventStream = (res: ServerResponse) =>
  String(res.getHeader('Content-Type')).startsWith('text/event-stream');
