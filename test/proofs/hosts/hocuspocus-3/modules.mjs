/** What the host process needs of this version of Hocuspocus. */

import { Server } from '@hocuspocus/server';

export { Redis } from '@hocuspocus/extension-redis';
export { HocuspocusProvider } from '@hocuspocus/provider';
export { Hocuspocus } from '@hocuspocus/server';
export { WebSocket, WebSocketServer } from 'ws';
export * as Y from 'yjs';

export function createServer(configuration) {
  const server = new Server(configuration);
  return {
    hocuspocus: server.hocuspocus,
    listen: () => server.listen(),
    destroy: () => server.destroy(),
    port: () => server.address.port,
  };
}

/** As its guide says for `new Hocuspocus()` on a server of one's own. */
export function handleSocket(hocuspocus, socket, request) {
  hocuspocus.handleConnection(socket, request);
}
