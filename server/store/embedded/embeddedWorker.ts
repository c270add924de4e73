import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import dynalite from 'dynalite';

/** What the embedded server is started with. */
export interface EmbeddedWorkerData {
  /** Folder of the database; in memory when left out. */
  path?: string;
  /** The only access key that is answered. */
  accessKeyId: string;
  /** Where to listen; any free port when left out. */
  port?: number;
}

/** What it tells: where it listens, that it is closed, and what went wrong inside it. */
export type EmbeddedWorkerMessage =
  | { type: 'listening'; port: number }
  | { type: 'closed' }
  | { type: 'failed'; cause: string };

// A thread of its own: dynalite throws outside of any request for a full disk, a request that is cut
// in its middle, a body of `null`. Here that costs the answer to one request, and not the process.
const { path, accessKeyId, port = 0 } = workerData as EmbeddedWorkerData;
const tell = (message: EmbeddedWorkerMessage) => parentPort?.postMessage(message);
const fail = (cause: unknown) =>
  tell({ type: 'failed', cause: cause instanceof Error ? wordsOf(cause) : String(cause) });
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

const server = dynalite({ createTableMs: 0, ...(path !== undefined && { path }) });
const [answer] = server.listeners('request');
// Other users of this machine can reach loopback too: without the key of this run they are refused.
server.removeAllListeners('request').on('request', (request, response) => {
  const isOurs = request.headers.authorization?.includes(`Credential=${accessKeyId}/`);
  if (isOurs) answer?.call(server, request, response);
  else response.writeHead(403).end();
});
server.on('error', fail);
server.listen(port, '127.0.0.1', () =>
  tell({ type: 'listening', port: (server.address() as AddressInfo).port }),
);

// The one message there is: to close.
parentPort?.once('message', () => {
  server.close(() => {
    tell({ type: 'closed' });
    parentPort?.close();
  });
  server.closeAllConnections();
});

function wordsOf(cause: Error): string {
  const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : '';
  return `${cause.message}${inner}`;
}
