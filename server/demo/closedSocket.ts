import { WebSocket } from 'ws';

const closeWithinMs = 2_000;

/** Calls `end` and resolves when the socket is closed. Terminates it if the server does not answer. */
export function closedSocket(socket: WebSocket, end: () => void = () => {}): Promise<void> {
  return new Promise((resolve) => {
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
}
