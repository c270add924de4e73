export { WebSocketServer } from 'ws';
export { docs, setPersistence, setupWSConnection } from 'y-websocket/bin/utils';
export { applyUpdate, encodeStateAsUpdate } from 'yjs';
