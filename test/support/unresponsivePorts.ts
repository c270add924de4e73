import { type AddressInfo, createServer, type Socket } from 'node:net';
import { owns } from './stage.js';

/** A port that accepts connections and never answers. */
export interface UnresponsivePort {
  readonly port: number;
  /** Connections so far, one for each request. */
  connections: number;
  /** `performance.now()` at the first connection. */
  firstAtMs: number | undefined;
}

/** Starts some on 127.0.0.1. They end with the test. */
export async function startUnresponsivePorts(count: number): Promise<UnresponsivePort[]> {
  return Promise.all(Array.from({ length: count }, startUnresponsivePort));
}

async function startUnresponsivePort(): Promise<UnresponsivePort> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    unresponsive.connections += 1;
    unresponsive.firstAtMs ??= performance.now();
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    // Reading lets the socket close when the client gives up.
    socket.resume();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const unresponsive: UnresponsivePort = {
    port: (server.address() as AddressInfo).port,
    connections: 0,
    firstAtMs: undefined,
  };
  owns(server, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return unresponsive;
}
