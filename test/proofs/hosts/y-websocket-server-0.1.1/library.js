export { docs, setPersistence, setupWSConnection } from '@y/websocket-server/utils';
export { WebSocketServer } from 'ws';
export { applyUpdate, encodeStateAsUpdate } from 'yjs';
