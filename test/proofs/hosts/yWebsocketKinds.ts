/** The servers of y-websocket, and their clients. */

import { createEncoder, toUint8Array, writeVarUint, writeVarUint8Array } from 'lib0/encoding';
import WebSocket from 'ws';
import { closedSocket } from '../../../server/demo/closedSocket.js';
import type { HostClient, HostKind } from './hostKind.js';

const common = {
  program: 'yWebsocketHost.ts',
  // Names are the raw path of the request, never decoded.
  rooms: ['notes', 'a%20b', 'd/%C3%A9', '__proto__', 'constructor', '100%', '/lead', 'x=y', ''],
  connect,
};

/** One for each way in which the library was and is published. */
export const yWebsocketKinds: readonly HostKind[] = [
  { ...common, name: 'y-websocket 1', fixture: 'y-websocket-1', library: 'library.cjs' },
  { ...common, name: 'y-websocket 2', fixture: 'y-websocket-2', library: 'library.js' },
  {
    ...common,
    name: '@y/websocket-server 0.1.1, imported',
    fixture: 'y-websocket-server-0.1.1',
    library: 'library.js',
  },
  {
    ...common,
    name: '@y/websocket-server 0.1.1, required',
    fixture: 'y-websocket-server-0.1.1',
    library: 'library.cjs',
  },
  {
    ...common,
    name: '@y/websocket-server 0.1.5',
    fixture: 'y-websocket-server-0.1.5',
    library: 'library.js',
  },
];

/** A message of the protocol of y-websocket: sync (0) with an update (2), or awareness (1). */
function message(kinds: readonly number[], content: Uint8Array): Uint8Array {
  const encoder = createEncoder();
  for (const kind of kinds) writeVarUint(encoder, kind);
  writeVarUint8Array(encoder, content);
  return toUint8Array(encoder);
}

async function connect(
  url: string,
  room: string,
  { isRefused = false }: { isRefused?: boolean } = {},
): Promise<HostClient> {
  const socket = new WebSocket(url, {
    headers: isRefused ? { Authorization: 'nobody' } : {},
    // A URL would encode the path.
    finishRequest: (request) => {
      request.path = `/${room}`;
      request.end();
    },
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.once('open', resolve);
  });
  return {
    isOpen: () => socket.readyState === WebSocket.OPEN,
    close: () => closedSocket(socket, () => socket.close()),
    terminate: () => closedSocket(socket, () => socket.terminate()),
    freeze: () => socket.pause(),
    edit: (update) => socket.send(message([0, 2], update)),
    tell: (awareness) => socket.send(message([1], awareness)),
  };
}
