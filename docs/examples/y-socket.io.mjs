// y-socket.io, reported to the dashboard.
// npm install y-socket.io @pubsub-dashboard/agent socket.io yjs
import { createServer } from 'node:http';
import { attachDashboard } from '@pubsub-dashboard/agent/y-socket.io';
import { Server } from 'socket.io';
import { YSocketIO } from 'y-socket.io/dist/server';

const server = createServer((_, response) => response.end('My own page'));
const ysocketio = new YSocketIO(new Server(server));
ysocketio.initialize();

attachDashboard(ysocketio, { url: process.env.DASHBOARD_URL ?? 'http://127.0.0.1:8000' });

server.listen(Number(process.env.PORT ?? 1234));
