import WebSocket from 'ws';
import { closedSocket } from './closedSocket.js';

/** A bare WebSocket connection that says nothing; whoever opened it ends it. */
export type BareConnection = {
  readonly socket: WebSocket;
  /** With the closing handshake. Resolves when the socket is closed. */
  close(): Promise<void>;
  /** Without it: as a client that vanishes. Resolves when the socket is closed. */
  terminate(): Promise<void>;
};

const openWithinMs = 5_000;

// The request line is written in Latin-1, so each byte of the UTF-8 name stays itself.
const requestTarget = (rawPath: string): string => {
  if (/[\p{Cc} ]/u.test(rawPath)) throw new Error('a request path has no spaces nor controls');
  return `/${Buffer.from(rawPath, 'utf8').toString('latin1')}`;
};

/** Opens a connection whose request path is `/` and `rawPath`, byte by byte (`100%`, `a"b`, ``). */
export const openConnection = (serverUrl: string, rawPath: string): Promise<BareConnection> => {
  const target = requestTarget(rawPath);
  const socket = new WebSocket(serverUrl, {
    handshakeTimeout: openWithinMs,
    // A URL would encode it; Node checks the path of a request only when it is made.
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
};
