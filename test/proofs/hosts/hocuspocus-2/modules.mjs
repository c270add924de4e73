/** What the host process needs of this version of Hocuspocus. */

import { Hocuspocus } from '@hocuspocus/server';
import { WebSocket } from 'ws';

export { Redis } from '@hocuspocus/extension-redis';
export { HocuspocusProvider } from '@hocuspocus/provider';
export { WebSocketServer } from 'ws';
export * as Y from 'yjs';
export { Hocuspocus, WebSocket };

// Its provider does not pass the option on.
globalThis.WebSocket ??= WebSocket;

export function createServer(configuration) {
  const hocuspocus = new Hocuspocus(configuration);
  return {
    hocuspocus,
    listen: () => hocuspocus.listen(),
    destroy: () => hocuspocus.destroy(),
    port: () => hocuspocus.address.port,
  };
}

/** As its guide says for `new Hocuspocus()` on a server of one's own. */
export function handleSocket(hocuspocus, socket, request) {
  hocuspocus.handleConnection(socket, request);
}
