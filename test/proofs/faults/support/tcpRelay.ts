/** A relay between two programs. It can hold up all bytes in both directions, or cut connections. */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { owns } from '../../../support/stage.js';

/** A relay of TCP connections. It ends with its test. */
export interface TcpRelay {
  readonly port: number;
  /** Connections that are open. */
  readonly connections: number;
  /** Passes nothing on, not even the end of a connection. Accepts new connections. */
  freeze(): void;
  /** Passes on everything that was held up. */
  thaw(): void;
  /** Resets all open connections. */
  cut(): void;
}

/** Starts a relay to a port of 127.0.0.1. */
export async function startTcpRelay(targetPort: number): Promise<TcpRelay> {
  const pairs = new Set<[Socket, Socket]>();
  let isFrozen = false;
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    couple(near, far, () => pairs.delete(pair));
    couple(far, near, () => pairs.delete(pair));
    if (isFrozen) hold(pair);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relay: TcpRelay = {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return pairs.size;
    },
    freeze: () => {
      isFrozen = true;
      for (const pair of pairs) hold(pair);
    },
    thaw: () => {
      isFrozen = false;
      for (const pair of pairs) for (const side of pair) side.resume();
    },
    cut: () => {
      for (const pair of pairs) for (const side of pair) side.resetAndDestroy();
    },
  };
  return owns(relay, async () => {
    for (const pair of pairs) for (const side of pair) side.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
}

/** A paused socket reads neither bytes nor the end. */
function hold(pair: [Socket, Socket]): void {
  for (const side of pair) side.pause();
}

/** Passes bytes, the end and errors from one side to the other. */
function couple(from: Socket, to: Socket, onOver: () => void): void {
  from.on('data', (bytes) => to.write(bytes));
  from.on('end', () => to.end());
  from.on('error', () => to.resetAndDestroy());
  from.on('close', onOver);
}
