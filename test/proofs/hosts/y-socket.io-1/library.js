export { Server } from 'socket.io';
export { YSocketIO } from 'y-socket.io/dist/server';
export { applyUpdate, encodeStateAsUpdate } from 'yjs';
