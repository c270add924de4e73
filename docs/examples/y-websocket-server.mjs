// @y/websocket-server, reported to the dashboard.
// npm install @y/websocket-server@0.1.1 @pubsub-dashboard/agent ws yjs
import { createServer } from 'node:http';
import { attachDashboard } from '@pubsub-dashboard/agent/y-websocket';
import { docs, setupWSConnection } from '@y/websocket-server/utils';
import { WebSocketServer } from 'ws';
import { encodeStateAsUpdate } from 'yjs';

attachDashboard({
  url: process.env.DASHBOARD_URL ?? 'http://127.0.0.1:8000',
  docs,
  encodeState: encodeStateAsUpdate,
});

const server = createServer((_, response) => response.end('My own page'));
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket, request) => setupWSConnection(socket, request));
server.listen(Number(process.env.PORT ?? 1234));
