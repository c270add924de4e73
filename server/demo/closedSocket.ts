import { WebSocket } from 'ws';

const closeWithinMs = 2_000;

/** Has a socket end; resolves when it is closed. A server that hangs never answers the closing handshake. */
export const closedSocket = (socket: WebSocket, end: () => void = () => {}): Promise<void> =>
  new Promise((resolve) => {
    if (socket.readyState === WebSocket.CLOSED) {
      resolve();
      return;
    }
    const deadline = setTimeout(() => socket.terminate(), closeWithinMs);
    socket.once('close', () => {
      clearTimeout(deadline);
      resolve();
    });
    end();
  });
