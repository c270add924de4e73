import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** Has every body come to its end in time, whether anybody reads it or not. */
export function limitingBodies(listener: RequestListener, bodyTimeoutMs: number): RequestListener {
  return (req, res) => {
    cutUnfinished(req, res, bodyTimeoutMs);
    listener(req, res);
  };
}

/**
 * Closes the connection of a request whose body has not ended in time. Not at once when it is answered
 * unread: a sender that is still at work would be reset, and might never see its answer.
 */
export function cutUnfinished(req: IncomingMessage, res: ServerResponse, timeoutMs: number): void {
  const cut = () => req.socket.destroySoon();
  // Most requests came as a whole, and need no timer.
  process.nextTick(() => {
    if (req.complete || req.destroyed) return;
    const timer = setTimeout(() => {
      if (req.complete) return;
      // Who reads the body has the same time, and something to say.
      if (res.headersSent) cut();
      else res.once('finish', cut);
    }, timeoutMs);
    req.once('close', () => clearTimeout(timer));
  });
}
