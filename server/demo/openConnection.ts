import WebSocket from 'ws';
import { closedSocket } from './closedSocket.js';

/** A WebSocket connection that sends nothing. The caller must close it. */
export interface BareConnection {
  readonly socket: WebSocket;
  /** Closes with the closing handshake. Resolves when the socket is closed. */
  close(): Promise<void>;
  /** Closes without it, like a client that vanishes. Resolves when the socket is closed. */
  terminate(): Promise<void>;
}

const openWithinMs = 60_000;

/** Opens a connection with the request path `/<rawPath>`, byte by byte (`100%`, `a"b`, ``). */
export function openConnection(serverUrl: string, rawPath: string): Promise<BareConnection> {
  const target = requestTarget(rawPath);
  const socket = new WebSocket(serverUrl, {
    handshakeTimeout: openWithinMs,
    // A URL would encode the path. Node checks it only when the request is created.
    finishRequest: (request) => {
      request.path = target;
      request.end();
    },
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('open', () =>
      resolve({
        socket,
        close: () => closedSocket(socket, () => socket.close()),
        terminate: () => closedSocket(socket, () => socket.terminate()),
      }),
    );
  });
}

/** Node writes the request line in Latin-1. This keeps each byte of the UTF-8 name. */
function requestTarget(rawPath: string): string {
  if (/[\p{Cc} ]/u.test(rawPath))
    throw new Error('a request path must not contain spaces or control characters');
  return `/${Buffer.from(rawPath, 'utf8').toString('latin1')}`;
}
