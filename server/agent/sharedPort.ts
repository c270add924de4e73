import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Handle = (
  request: IncomingMessage,
  response: ServerResponse,
  answersHealth: boolean,
) => boolean;

/**
 * Answers the dashboard on the port of another HTTP server: takes its requests before its listeners,
 * also those that are added later. Returns what ends this.
 */
export function sharePort(server: Server, handle: Handle): () => void {
  const { emit } = server;
  let isEnded = false;
  const emitted = function (this: Server, event: string | symbol, ...values: unknown[]): boolean {
    if (event === 'request' && !isEnded) {
      const [request, response] = values as [IncomingMessage, ServerResponse];
      if (handle(request, response, server.listenerCount('request') === 0)) return true;
    }
    return Reflect.apply(emit, this, [event, ...values]);
  };
  server.emit = emitted;
  return () => {
    isEnded = true;
    // Unless somebody else has replaced it after us.
    if (server.emit === emitted) server.emit = emit;
  };
}

/** The port of a server, once it listens. */
export function portOf(server: Server): Promise<number> {
  const port = () => (server.address() as AddressInfo | null)?.port ?? 0;
  if (server.listening) return Promise.resolve(port());
  return new Promise((resolve) => {
    server.once('listening', () => resolve(port()));
  });
}
