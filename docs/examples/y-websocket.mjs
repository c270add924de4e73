// The server of y-websocket 1 or 2, reported to the dashboard.
// npm install y-websocket@2 @pubsub-dashboard/agent ws yjs
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { attachDashboard } from '@pubsub-dashboard/agent/y-websocket';
import { WebSocketServer } from 'ws';

// Required, not imported: the library requires Yjs too, and there must be only one.
const require = createRequire(import.meta.url);
const { docs, setupWSConnection } = require('y-websocket/bin/utils');
const { encodeStateAsUpdate } = require('yjs');

attachDashboard({
  url: process.env.DASHBOARD_URL ?? 'http://127.0.0.1:8000',
  docs,
  encodeState: encodeStateAsUpdate,
});

const server = createServer((_, response) => response.end('My own page'));
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket, request) => setupWSConnection(socket, request));
server.listen(Number(process.env.PORT ?? 1234));
