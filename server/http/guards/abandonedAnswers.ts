import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Stream } from 'node:stream';
import type { Context, Next } from 'koa';

/**
 * Closes all answers of a connection that closes. With pipelined requests, Node emits `close` only for
 * the answer that it is sending. The files and subscriptions of the others would stay open.
 */
export function closeQueuedAnswers(listener: RequestListener): RequestListener {
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
    // Node gives an answer its socket when its turn comes, and closes that one itself.
    if (res.socket) continue;
    res.destroy();
    res.emit('close');
  }
}

/** Destroys the body of an answer if the connection closed before the answer was ready. */
export async function dropAbandoned(ctx: Context, next: Next): Promise<void> {
  await next();
  if (!ctx.res.destroyed) return;
  ctx.respond = false;
  if (ctx.body instanceof Stream.Readable) ctx.body.destroy();
}
