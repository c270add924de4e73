// Hocuspocus 3 without its own server, on an HTTP server of your own: the agent is started by hand.
// npm install @hocuspocus/server@3 @pubsub-dashboard/agent ws yjs
import { createServer } from 'node:http';
import { Hocuspocus } from '@hocuspocus/server';
import { Dashboard } from '@pubsub-dashboard/agent/hocuspocus';
import { WebSocketServer } from 'ws';
import { encodeStateAsUpdate } from 'yjs';

const url = process.env.DASHBOARD_URL ?? 'http://127.0.0.1:8000';

const dashboard = new Dashboard({ url, encodeState: encodeStateAsUpdate });
const hocuspocus = new Hocuspocus({ extensions: [dashboard] });

const server = createServer((_, response) => response.end('My own page'));
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket, request) => hocuspocus.handleConnection(socket, request));

server.listen(Number(process.env.PORT ?? 1234));
await dashboard.start();
