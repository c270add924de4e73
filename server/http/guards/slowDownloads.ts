import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How long a client may take to read an answer, in milliseconds. */
export interface ReadTimeouts {
  /** Without any progress. */
  stalled: number;
  /** In total. */
  whole: number;
}

const checksPerStall = 4;

/**
 * Closes the connection of a client that does not read its answer in time, even if it keeps sending.
 * Event streams do not end; `server/sse/viewer.ts` handles their slow readers.
 */
export function cutSlowDownloads(
  listener: RequestListener,
  { stalled: stalledMs, whole: wholeMs }: ReadTimeouts,
): RequestListener {
  return (req, res) => {
    const { socket } = req;
    const startedAtMs = performance.now();
    let progress = progressOf(socket);
    let progressAtMs = startedAtMs;
    const check = () => {
      if (isEventStream(res)) return clearInterval(timer);
      const nowMs = performance.now();
      const now = progressOf(socket);
      if (now !== progress) [progress, progressAtMs] = [now, nowMs];
      if (nowMs - progressAtMs > stalledMs || nowMs - startedAtMs > wholeMs) socket.destroy();
    };
    const timer = setInterval(check, Math.min(stalledMs, wholeMs) / checksPerStall);
    res.once('close', () => clearInterval(timer));
    listener(req, res);
  };
}

/** Changes with every byte that the kernel takes. Node's own socket timeout watches the same two numbers. */
function progressOf(socket: Socket): string {
  // `_handle` is not documented. Without it, progress shows only when a whole chunk was written.
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null };
  return `${socket.bytesWritten - socket.writableLength}/${handle?.writeQueueSize}`;
}

const isEventStream = (res: ServerResponse) =>
  String(res.getHeader('Content-Type')).startsWith('text/event-stream');
