import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** Requires every request body to end in time, whether a route reads it or not. */
export function limitBodies(listener: RequestListener, bodyTimeoutMs: number): RequestListener {
  return (req, res) => {
    closeIfUnfinished(req, res, bodyTimeoutMs);
    listener(req, res);
  };
}

/**
 * Closes the connection of a request whose body does not end in time. Closing at once, while the client
 * still sends, would reset the connection, and the client might never see the answer.
 */
export function closeIfUnfinished(
  req: IncomingMessage,
  res: ServerResponse,
  timeoutMs: number,
): void {
  const close = () => req.socket.destroySoon();
  // Most requests arrive as a whole and need no timer.
  process.nextTick(() => {
    if (req.complete || req.destroyed) return;
    const timer = setTimeout(() => {
      if (req.complete) return;
      // A route that reads the body has the same timeout and is about to answer.
      if (res.headersSent) close();
      else res.once('finish', close);
    }, timeoutMs);
    // A request whose connection was cut may never emit 'close'.
    timer.unref();
    req.once('close', () => clearTimeout(timer));
  });
}
