import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Stream } from 'node:stream';
import type { Context, Next } from 'koa';

/**
 * Closes the answers that wait behind another one when their connection closes. Node emits `close` only
 * for the answer that is being sent, so what the others hold (files, subscriptions) would stay open.
 */
export function closingQueuedAnswers(listener: RequestListener): RequestListener {
  const queues = new WeakMap<Socket, Set<ServerResponse>>();
  const queueOf = (socket: Socket) => {
    const known = queues.get(socket);
    if (known) return known;
    const queue = new Set<ServerResponse>();
    queues.set(socket, queue);
    socket.once('close', () => closeAll(queue));
    return queue;
  };
  return (req, res) => {
    const queue = queueOf(req.socket);
    queue.add(res);
    res.once('close', () => queue.delete(res));
    listener(req, res);
  };
}

function closeAll(queue: ReadonlySet<ServerResponse>): void {
  for (const res of queue) {
    // Only an answer without a socket is still in the queue.
    if (res.socket) continue;
    res.destroy();
    res.emit('close');
  }
}

/** Ends the body of an answer whose connection closed before the answer was ready. */
export async function dropAbandoned(ctx: Context, next: Next): Promise<void> {
  await next();
  if (!ctx.res.destroyed) return;
  ctx.respond = false;
  if (ctx.body instanceof Stream.Readable) ctx.body.destroy();
}
