/** The server of y-socket.io, and its clients: https://socket.io/docs/v4/socket-io-protocol/. */

import WebSocket, { type RawData } from 'ws';
import { closedSocket } from '../../../server/demo/closedSocket.js';
import type { HostClient, HostKind } from './hostKind.js';

/** Names are those of namespaces, which nobody encodes. */
export const ySocketIoKind: HostKind = {
  name: 'y-socket.io 1',
  fixture: 'y-socket.io-1',
  library: 'library.js',
  program: 'ySocketIoHost.ts',
  rooms: ['notes', 'b c', 'd/é', '__proto__', 'constructor', '100%', 'yjs|x', 'x=y', ''],
  connect,
};

/** Packets of Engine.IO, and those of Socket.IO in its messages. */
const packet = { open: '0', ping: '2', pong: '3' };
const message = { connect: '40', disconnect: '41', refused: '44', event: '451-' };

async function connect(
  url: string,
  room: string,
  { isRefused = false }: { isRefused?: boolean } = {},
): Promise<HostClient> {
  const namespace = `/yjs|${room},`;
  const auth = JSON.stringify({ token: isRefused ? 'nobody' : 'somebody' });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    socket.on('message', (data: RawData, isBinary: boolean) => {
      const text = isBinary ? '' : data.toString();
      if (text.startsWith(packet.open)) socket.send(message.connect + namespace + auth);
      if (text === packet.ping) socket.send(packet.pong);
      if (text.startsWith(message.connect + namespace)) resolve();
      if (text.startsWith(message.refused)) reject(new Error(text));
      // The server has ended this namespace. The connection could serve others.
      if (text.startsWith(message.refused) || text.startsWith(message.disconnect)) socket.close();
    });
  });
  const emit = (event: string, content: Uint8Array) => {
    const place = { _placeholder: true, num: 0 };
    socket.send(message.event + namespace + JSON.stringify([event, place]));
    socket.send(content);
  };
  return {
    isOpen: () => socket.readyState === WebSocket.OPEN,
    close: () =>
      closedSocket(socket, () => {
        socket.send(message.disconnect + namespace);
        socket.close();
      }),
    terminate: () => closedSocket(socket, () => socket.terminate()),
    freeze: () => socket.pause(),
    edit: (update) => emit('sync-update', update),
    tell: (awareness) => emit('awareness-update', awareness),
  };
}
