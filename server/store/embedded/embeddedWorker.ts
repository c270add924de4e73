import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import dynalite from 'dynalite';

/** Options of the embedded server. */
export interface EmbeddedWorkerData {
  /** Folder of the database. Default: in memory. */
  path?: string;
  /** The only accepted access key. */
  accessKeyId: string;
  /** Port to listen on. Default: any free port. */
  port?: number;
}

/** Messages of the thread: it listens, it is closed, or it had an error. */
export type EmbeddedWorkerMessage =
  | { type: 'listening'; port: number }
  | { type: 'closed' }
  | { type: 'failed'; cause: string };

// In a thread, an uncaught error of dynalite costs one answer and not the process. It throws outside of
// requests for a full disk, a truncated request, or a body of `null`.
const { path, accessKeyId, port = 0 } = workerData as EmbeddedWorkerData;
const send = (message: EmbeddedWorkerMessage) => parentPort?.postMessage(message);
const fail = (cause: unknown) =>
  send({ type: 'failed', cause: cause instanceof Error ? messageOf(cause) : String(cause) });
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

const server = dynalite({ createTableMs: 0, ...(path !== undefined && { path }) });
const [answer] = server.listeners('request');
// Other users of this machine can reach loopback too. They do not have the key, and are refused.
server.removeAllListeners('request').on('request', (request, response) => {
  const isOurs = request.headers.authorization?.includes(`Credential=${accessKeyId}/`);
  if (isOurs) answer?.call(server, request, response);
  else response.writeHead(403).end();
});
server.on('error', fail);
server.listen(port, '127.0.0.1', () =>
  send({ type: 'listening', port: (server.address() as AddressInfo).port }),
);

// The only message is: close.
parentPort?.once('message', () => {
  server.close(() => {
    send({ type: 'closed' });
    parentPort?.close();
  });
  server.closeAllConnections();
});

function messageOf(cause: Error): string {
  const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : '';
  return `${cause.message}${inner}`;
}
