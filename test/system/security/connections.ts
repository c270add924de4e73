import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { owns } from '../../support/stage.js';

const channel = 'net.client.socket';

/** Every address that this process tries to connect to from now on, as passed to the system. */
export function connectionAttempts(): ReadonlySet<string> {
  const addresses = new Set<string>();
  const note = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    socket.on('connectionAttempt', (address: string) => addresses.add(address));
  };
  subscribe(channel, note);
  return owns(addresses, () => unsubscribe(channel, note));
}
